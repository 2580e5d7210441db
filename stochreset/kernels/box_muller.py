"""Single-precision normal and exponential numbers for lanes, free of branches so that they vectorise.

Box and Muller's transform with the logarithm and the sine and cosine as polynomials (coefficients of Cephes'
``logf``, ``sinf`` and ``cosf``, S. Moshier). A pair of normals takes 31 + 32 random bits; |z| reaches 6.6,
which a true normal exceeds with probability 4e-11.
"""

from __future__ import annotations

import numpy as np

from stochreset.kernels.bits import bits_float, float_bits
from stochreset.kernels.compiling import inlined

F = np.float32
I = np.int32  # noqa: E741


HALF, ONE, TWO, ZERO, MINUS_HALF = F(0.5), F(1), F(2), F(0), F(-0.5)
SQRT_HALF_BITS, MANTISSA, MANTISSA_BITS = I(0x3F3504F3), I(0x007FFFFF), I(23)
LOG_2, LOG_2_31 = F(-0.6931471806), F(31 * 0.6931471806)
L2, L3, L4, L5 = F(0.5), F(-3.3333331174e-1), F(2.4999993993e-1), F(-2.0000714765e-1)
L6, L7, L8 = F(1.6668057665e-1), F(-1.4249322787e-1), F(1.2420140846e-1)
L9, L10, L11 = F(-1.1676998740e-1), F(1.1514610310e-1), F(-7.0376836292e-2)
S3, S5, S7 = F(-1.6666654611e-1), F(8.3321608736e-3), F(-1.9515295891e-4)
C4, C6, C8 = F(4.166664568298827e-2), F(-1.388731625493765e-3), F(2.443315711809948e-5)
ANGLE = F(np.pi / 4 * 2.0**-31)
POSITIVE, ODD, SIGN, TO_SIGN = I(0x7FFFFFFF), I(1), I(-(2**31)), I(30)


@inlined
def minus_log_uniform(bits):
    """Return -log(u) with u = (k + 1/2) / 2^31, k the low 31 bits of an int32: an exponential number."""
    u = F(I(bits & POSITIVE)) + HALF
    shifted = I(float_bits(u) - SQRT_HALF_BITS)
    exponent = F(I(shifted >> MANTISSA_BITS))
    x = bits_float(I(I(shifted & MANTISSA) + SQRT_HALF_BITS)) - ONE
    x2 = x * x
    x4 = x2 * x2
    tail = ((L11 * x + L10) * x4 + ((L9 * x + L8) * x2 + (L7 * x + L6))) * x4 + (
        (L5 * x + L4) * x2 + (L3 * x + L2)
    )
    value = tail * x2 + (LOG_2 * exponent + LOG_2_31 - x)
    return value if value > ZERO else ZERO


@inlined
def normal_pair(radius_bits, angle_bits):
    """Two independent standard normals from 31 bits of one int32 and all bits of another."""
    radius = np.sqrt(TWO * minus_log_uniform(radius_bits))
    t = F(angle_bits) * ANGLE
    t2 = t * t
    sine = ((S7 * t2 + S5) * t2 + S3) * (t2 * t) + t
    cosine = ((C8 * t2 + C6) * (t2 * t2) + (C4 * t2 + MINUS_HALF)) * t2 + ONE
    # The two lowest bits of the angle, too fine to matter in it, choose sign and exchange of the pair.
    c = I(float_bits(cosine) ^ I(I(angle_bits << TO_SIGN) & SIGN))
    s = float_bits(sine)
    exchange = I(I(c ^ s) & I(-I(angle_bits & ODD)))
    return radius * bits_float(I(c ^ exchange)), radius * bits_float(I(s ^ exchange))
