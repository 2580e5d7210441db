// What both bounds share: the work, its random seeds, and the lanes that each carry one trajectory.
#pragma once
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

// dx = (drift - stiffness x) dt + noise dW from start until x >= target; rate or period 0: no resetting.
struct Work {
    double drift, stiffness, noise, start, target, dt, rate, period;
};

constexpr int LANES = 64;
constexpr int64_t CHUNK = 4096;  // trajectories of one random stream
constexpr int64_t NEVER = INT64_MAX;

inline uint64_t splitmix(uint64_t &state) {
    uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

template <typename Real> struct Lanes {
    alignas(64) Real before[LANES], middle[LANES], after[LANES];  // positions around two steps
    alignas(64) float normals[2][LANES];
    int64_t born[LANES], due[LANES];  // step of the start (-1: no trajectory left), step of the next reset
    int64_t now = 0, next_due = NEVER, started = 0, finished = 0, quota;
    const Work &work;
    uint64_t clock_state;
    double *times;

    Lanes(const Work &work, uint64_t stream, int64_t quota, double *times)
        : quota(quota), work(work), clock_state(~stream), times(times) {
        for (int j = 0; j < LANES; j++) restart(j);
        find_next_due();
    }

    Real step(Real x, float normal) const {
        return x + (Real(work.drift) - Real(work.stiffness) * x) * Real(work.dt)
               + Real(work.noise * std::sqrt(work.dt)) * Real(normal);
    }

    int64_t next_reset(int64_t from) {
        if (work.period > 0) return from + std::llround(work.period / work.dt);
        if (work.rate <= 0) return NEVER;
        double uniform = (double(splitmix(clock_state) >> 11) + 0.5) * 0x1p-53;
        return from + 1 + int64_t(-std::log(uniform) / (work.rate * work.dt));
    }

    void restart(int j) {
        after[j] = Real(work.start);
        born[j] = started < quota ? now : -1;
        due[j] = started < quota ? next_reset(now) : NEVER;
        started++;
    }

    void find_next_due() { next_due = *std::min_element(due, due + LANES); }

    // Repeat one lane's two steps, now with its reset and its arrival. What is left of the pair after an
    // arrival is dropped: the next trajectory starts with the next pair.
    void replay(int j, int64_t pair) {
        Real x = before[j];
        for (int i = 0; i < 2; i++) {
            x = step(x, normals[i][j]);
            if (x >= Real(work.target)) {
                if (born[j] >= 0) times[finished++] = double(pair + i + 1 - born[j]) * work.dt;
                restart(j);
                return;
            }
            if (pair + i + 1 == due[j]) {
                x = Real(work.start);
                due[j] = next_reset(due[j]);
            }
        }
        after[j] = x;
    }

    void settle(bool any_arrival) {
        int64_t pair = now;
        now += 2;
        if (!any_arrival && next_due > now) return;
        Real target = Real(work.target);
        for (int j = 0; j < LANES; j++)
            if (middle[j] >= target || after[j] >= target || due[j] <= now) replay(j, pair);
        find_next_due();
    }
};

// Fill times[0..runs) on `threads` threads: chunk(work, stream, quota, times) runs one chunk.
template <typename Chunk>
void run_chunks(Chunk chunk, const Work &work, uint64_t seed, int64_t runs, int threads, double *times) {
    std::atomic<int64_t> next{0};
    auto worker = [&] {
        for (int64_t begin; (begin = CHUNK * next++) < runs;) {
            uint64_t state = seed + uint64_t(begin) * 0xd1342543de82ef95;
            chunk(work, splitmix(state), std::min(CHUNK, runs - begin), times + begin);
        }
    };
    std::vector<std::thread> pool;
    for (int i = 0; i < threads; i++) pool.emplace_back(worker);
    for (auto &thread : pool) thread.join();
}
