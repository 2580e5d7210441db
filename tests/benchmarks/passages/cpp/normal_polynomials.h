// Coefficients of a float32 Box-Muller pair: Cephes' logf, sinf and cosf (S. L. Moshier).
#pragma once
#include <cstdint>

constexpr float LOG_TAIL[] = {7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                              1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f,
                              3.3333331174e-1f};
constexpr float SINE[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
constexpr float COSINE[] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
constexpr float LOG_2 = 0.6931471806f;
constexpr float EIGHTH_TURN = 3.6572951e-10f;  // (pi / 4) / 2**31: an int32 becomes an angle within pi / 4
constexpr int32_t ROOT_HALF = 0x3f3504f3;      // bits of sqrt(1 / 2), where the mantissa range is cut
constexpr int32_t MANTISSA = 0x007fffff;
