// Euler bound, float32 throughout, in AVX2 intrinsics: eight lanes a register, nothing left to the compiler.
#include <immintrin.h>

#include "lanes.h"
#include "normal_polynomials.h"

namespace {

using Floats = __m256;
using Ints = __m256i;

inline Floats all(float x) { return _mm256_set1_ps(x); }
inline Ints all(int32_t x) { return _mm256_set1_epi32(x); }
inline Floats as_floats(Ints x) { return _mm256_castsi256_ps(x); }
inline Ints as_ints(Floats x) { return _mm256_castps_si256(x); }
inline Floats multiply_add(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }

template <int BITS> inline Ints rotate(Ints x) {
    return _mm256_or_si256(_mm256_slli_epi32(x, BITS), _mm256_srli_epi32(x, 32 - BITS));
}

struct Words {  // xoshiro128++ (Blackman and Vigna 2019), one generator a lane
    Ints a, b, c, d;

    void seed(uint64_t &stream) {
        for (Ints *part : {&a, &b, &c, &d})
            *part = _mm256_setr_epi64x(splitmix(stream), splitmix(stream), splitmix(stream), splitmix(stream));
    }

    Ints draw() {
        Ints out = _mm256_add_epi32(rotate<7>(_mm256_add_epi32(a, d)), a);
        Ints shifted = _mm256_slli_epi32(b, 9);
        c = _mm256_xor_si256(c, a), d = _mm256_xor_si256(d, b);
        b = _mm256_xor_si256(b, c), a = _mm256_xor_si256(a, d);
        c = _mm256_xor_si256(c, shifted), d = rotate<11>(d);
        return out;
    }
};

inline Floats box_muller_radius(Ints bits) {
    Floats u = _mm256_add_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(bits, 1)), all(0.5f));
    Ints shifted = _mm256_sub_epi32(as_ints(u), all(ROOT_HALF));
    Ints mantissa = _mm256_add_epi32(_mm256_and_si256(shifted, all(MANTISSA)), all(ROOT_HALF));
    Floats m = _mm256_sub_ps(as_floats(mantissa), all(1.0f));
    Floats exponent = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srai_epi32(shifted, 23), all(31)));
    Floats m2 = _mm256_mul_ps(m, m);
    Floats tail = all(-2.0f * LOG_TAIL[0]);
    for (int i = 1; i < 9; i++) tail = multiply_add(tail, m, all(-2.0f * LOG_TAIL[i]));
    tail = multiply_add(tail, m, all(1.0f));  // the terms from m**2 on, over m**2
    Floats linear = multiply_add(exponent, all(-2.0f * LOG_2), _mm256_mul_ps(m, all(-2.0f)));
    Floats squared = multiply_add(tail, m2, linear);
    return _mm256_sqrt_ps(_mm256_max_ps(squared, _mm256_setzero_ps()));
}

inline void normal_pair(Ints radius_bits, Ints angle_bits, Floats &first, Floats &second) {
    Floats radius = box_muller_radius(radius_bits);
    Floats t = _mm256_mul_ps(_mm256_cvtepi32_ps(angle_bits), all(EIGHTH_TURN)), t2 = _mm256_mul_ps(t, t);
    Floats sine = multiply_add(multiply_add(all(SINE[0]), t2, all(SINE[1])), t2, all(SINE[2]));
    sine = multiply_add(sine, _mm256_mul_ps(t2, t), t);
    Floats cosine = multiply_add(multiply_add(all(COSINE[0]), t2, all(COSINE[1])), t2, all(COSINE[2]));
    cosine = multiply_add(multiply_add(cosine, t2, all(-0.5f)), t2, all(1.0f));
    cosine = _mm256_xor_ps(
        cosine, as_floats(_mm256_and_si256(_mm256_slli_epi32(angle_bits, 30), all(INT32_MIN))));
    Floats odd = as_floats(_mm256_slli_epi32(angle_bits, 31));
    first = _mm256_mul_ps(radius, _mm256_blendv_ps(cosine, sine, odd));
    second = _mm256_mul_ps(radius, _mm256_blendv_ps(sine, cosine, odd));
}

void chunk(const Work &work, uint64_t stream, int64_t quota, double *times) {
    constexpr int GROUPS = LANES / 8;
    Words words[GROUPS];
    Lanes<float> lanes(work, stream, quota, times);
    for (Words &group : words) group.seed(stream);
    Floats decay = all(float(1 - work.stiffness * work.dt)), push = all(float(work.drift * work.dt));
    Floats noise = all(float(work.noise * std::sqrt(work.dt))), target = all(float(work.target));
    while (lanes.finished < quota) {
        Floats arrived = _mm256_setzero_ps();
        for (int i = 0; i < GROUPS; i++) {
            Floats first, second, x = _mm256_load_ps(lanes.after + 8 * i);
            Ints radius_bits = words[i].draw(), angle_bits = words[i].draw();
            normal_pair(radius_bits, angle_bits, first, second);
            Floats middle = multiply_add(noise, first, multiply_add(decay, x, push));
            Floats after = multiply_add(noise, second, multiply_add(decay, middle, push));
            _mm256_store_ps(lanes.before + 8 * i, x), _mm256_store_ps(lanes.middle + 8 * i, middle);
            _mm256_store_ps(lanes.after + 8 * i, after);
            _mm256_store_ps(lanes.normals[0] + 8 * i, first), _mm256_store_ps(lanes.normals[1] + 8 * i, second);
            arrived = _mm256_or_ps(arrived, _mm256_cmp_ps(_mm256_max_ps(middle, after), target, _CMP_GE_OQ));
        }
        lanes.settle(_mm256_movemask_ps(arrived) != 0);
    }
}

}  // namespace

extern "C" void passages(const Work *work, uint64_t seed, int64_t runs, int threads, double *times) {
    run_chunks(chunk, *work, seed, runs, threads, times);
}
