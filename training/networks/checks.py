"""What the networks require of their settings and of the shape of their inputs."""

from __future__ import annotations

from training.checks import is_count


def check_units(argument: str, values: object) -> None:
    """Raise ValueError unless ``values`` is a tuple of whole numbers of at least 1."""
    if not isinstance(values, tuple) or not all(is_count(value) for value in values):
        raise ValueError(
            f"`{argument}` must be a tuple of whole numbers of at least 1, one for each layer, got {values!r}"
        )


def check_shape(input_shape: object, outputs: object) -> None:
    """Raise ValueError unless ``input_shape`` is the shape of a sample and ``outputs`` a count."""
    if not isinstance(input_shape, tuple) or not input_shape or not all(map(is_count, input_shape)):
        raise ValueError(
            "`input_shape` must be the shape of one sample, without the axis of samples, as a tuple of at "
            f"least one whole number, got {input_shape!r}; Data.input_shape gives it"
        )
    if not is_count(outputs):
        raise ValueError(
            f"`outputs` must be a whole number of at least 1, got {outputs!r}; Data.outputs gives it"
        )


def check_images(network: str, input_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``input_shape`` is (channels, height, width)."""
    if len(input_shape) != 3:
        raise ValueError(
            f"`input_shape` must be (channels, height, width) for {network}, got {input_shape}; "
            "use MLP for inputs that are not images"
        )
