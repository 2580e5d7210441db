"""How numba is made to compile kernels in half the time.

numba optimises each function that a kernel calls, makes machine code of it, and does all that again in each
function that calls it. Here such functions stay intermediate code until the kernel is optimised as a whole.
They are handed to numba as pipelines of its documented kind; the library class beneath is numba's own.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

from stochreset.garbage import uncollected


class _WithoutEnvironment:
    """numba's code generator, without the objects that functions called from Python refer to."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        pass


class _IntermediateCode(JITCodeLibrary):
    """A function as intermediate code only, to be linked into what calls it and optimised there."""

    stays_apart = True
    """Whether the optimiser may not build it into its callers: it would, wherever it is called."""

    def add_ir_module(self, module: Any) -> None:
        if self.stays_apart:
            for function in module.functions:
                if not function.is_declaration:
                    function.attributes.add("noinline")
        super().add_ir_module(module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironment(self._codegen)


@register_pass(mutates_CFG=True, analysis_only=False)
class _InnerLowering(NativeLowering):
    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _IntermediateCode(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.stays_apart = not state.flags.forceinline
        done: bool = super().run_pass(state)
        return done


class InnerCompiler(Compiler):
    """Compiles what only kernels call, to intermediate code."""

    def define_pipelines(self) -> list[Any]:
        """Return numba's steps with another lowering."""
        (steps,) = super().define_pipelines()
        inner = PassManager("inner")
        for step, description in steps.passes:
            inner.add_pass(_InnerLowering if step is NativeLowering else step, description)
        inner.finalize()
        return [inner]


class KernelCompiler(Compiler):
    """Compiles without looking for garbage."""

    def compile_extra(self, function: Any) -> Any:
        """Compile one function."""
        with uncollected():
            return super().compile_extra(function)
