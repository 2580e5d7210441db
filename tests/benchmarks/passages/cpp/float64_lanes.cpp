// Euler bound, float64 state and float32 normals: three plain loops that the compiler vectorises.
#include "lanes.h"
#include "normal_polynomials.h"

namespace {

struct Words {  // xoshiro256++ (Blackman and Vigna 2018), one generator a lane
    alignas(64) uint64_t a[LANES], b[LANES], c[LANES], d[LANES], out[LANES];

    explicit Words(uint64_t stream) {
        for (int j = 0; j < LANES; j++) {
            a[j] = splitmix(stream), b[j] = splitmix(stream);
            c[j] = splitmix(stream), d[j] = splitmix(stream);
        }
    }

    void draw() {
        for (int j = 0; j < LANES; j++) {
            uint64_t s0 = a[j], s1 = b[j], s2 = c[j], s3 = d[j], sum = s0 + s3;
            out[j] = ((sum << 23) | (sum >> 41)) + s0;
            uint64_t shifted = s1 << 17;
            s2 ^= s0, s3 ^= s1, s1 ^= s2, s0 ^= s3, s2 ^= shifted;
            a[j] = s0, b[j] = s1, c[j] = s2, d[j] = (s3 << 45) | (s3 >> 19);
        }
    }
};

// Box-Muller: sqrt(-2 log u) times the sine and cosine of an angle whose octant comes from the low bits.
inline void normal_pair(int32_t radius_bits, int32_t angle_bits, float &first, float &second) {
    float u = float(radius_bits) + 0.5f;
    int32_t shifted = std::bit_cast<int32_t>(u) - ROOT_HALF;
    float m = std::bit_cast<float>((shifted & MANTISSA) + ROOT_HALF) - 1.0f;
    float tail = LOG_TAIL[0];
    for (int i = 1; i < 9; i++) tail = tail * m + LOG_TAIL[i];
    float exponent = float((shifted >> 23) - 31);
    float log_u = tail * m * m * m - 0.5f * m * m + m + LOG_2 * exponent;
    float squared = -2.0f * log_u;
    float radius = std::sqrt(squared > 0.0f ? squared : 0.0f);

    float t = float(angle_bits) * EIGHTH_TURN, t2 = t * t;
    float sine = ((SINE[0] * t2 + SINE[1]) * t2 + SINE[2]) * (t2 * t) + t;
    float cosine = ((COSINE[0] * t2 + COSINE[1]) * t2 + COSINE[2]) * (t2 * t2) - 0.5f * t2 + 1.0f;
    int32_t p = std::bit_cast<int32_t>(cosine) ^ ((angle_bits << 30) & INT32_MIN);
    int32_t q = std::bit_cast<int32_t>(sine);
    int32_t swap = (p ^ q) & -(angle_bits & 1);
    first = radius * std::bit_cast<float>(p ^ swap);
    second = radius * std::bit_cast<float>(q ^ swap);
}

void chunk(const Work &work, uint64_t stream, int64_t quota, double *times) {
    Words words(stream);
    Lanes<double> lanes(work, stream, quota, times);
    alignas(64) int32_t halves[2 * LANES];
    double target = work.target;
    while (lanes.finished < quota) {
        words.draw();
        std::copy_n(reinterpret_cast<const int32_t *>(words.out), 2 * LANES, halves);
        for (int j = 0; j < LANES; j++)
            normal_pair(halves[j] & INT32_MAX, halves[LANES + j], lanes.normals[0][j], lanes.normals[1][j]);
        int64_t signs = 0;  // the sign bit of target - x: an OR vectorises where a comparison does not
        for (int j = 0; j < LANES; j++) {
            double x = lanes.after[j];
            double middle = lanes.step(x, lanes.normals[0][j]);
            double after = lanes.step(middle, lanes.normals[1][j]);
            lanes.before[j] = x, lanes.middle[j] = middle, lanes.after[j] = after;
            signs |= std::bit_cast<int64_t>(target - middle) | std::bit_cast<int64_t>(target - after);
        }
        lanes.settle(signs < 0);
    }
}

}  // namespace

extern "C" void passages(const Work *work, uint64_t seed, int64_t runs, int threads, double *times) {
    run_chunks(chunk, *work, seed, runs, threads, times);
}
