"""Floating-point numbers seen as the integers of their bits, and back."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload


@intrinsic
def _as_int(context, x):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
def _as_float(context, x):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


def float_bits(x):
    """Bits of a float32, as int32."""
    return x.view(np.int32)


@overload(float_bits, inline="always")
def _float_bits(x):
    return lambda x: _as_int(x)


def bits_float(x):
    """The float32 with the bits of an int32."""
    return x.view(np.float32)


@overload(bits_float, inline="always")
def _bits_float(x):
    return lambda x: _as_float(x)


@intrinsic
def _as_int64(context, x):
    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


def sign_bit(x):
    """Return an integer that is negative where x is."""
    return np.float64(x).view(np.int64)


@overload(sign_bit, inline="always")
def _sign_bit(x):
    return lambda x: _as_int64(x)
