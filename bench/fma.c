/* The machine's limit, as a browser can reach it: multiply-adds on registers and nothing else. */

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name), visibility("default")))

#define LIMIT(name, T, MADD)                                                                  \
  typedef T name##_vec __attribute__((vector_size(16)));                                      \
  /* 20 multiply-adds a round, on 10 sums that do not wait for each other. x: x, y, sum. */   \
  EXPORT(name) void name(int rounds, name##_vec *x) {                                         \
    name##_vec a = x[0], b = x[1], s0 = a, s1 = a, s2 = a, s3 = a, s4 = a;                    \
    name##_vec s5 = a, s6 = a, s7 = a, s8 = a, s9 = a;                                        \
    for (int i = 0; i < rounds; i++) {                                                        \
      s0 = MADD(s0, a, b); s1 = MADD(s1, a, b); s2 = MADD(s2, a, b); s3 = MADD(s3, a, b);     \
      s4 = MADD(s4, a, b); s5 = MADD(s5, a, b); s6 = MADD(s6, a, b); s7 = MADD(s7, a, b);     \
      s8 = MADD(s8, a, b); s9 = MADD(s9, a, b);                                               \
      s0 = MADD(s0, b, a); s1 = MADD(s1, b, a); s2 = MADD(s2, b, a); s3 = MADD(s3, b, a);     \
      s4 = MADD(s4, b, a); s5 = MADD(s5, b, a); s6 = MADD(s6, b, a); s7 = MADD(s7, b, a);     \
      s8 = MADD(s8, b, a); s9 = MADD(s9, b, a);                                               \
    }                                                                                         \
    x[2] = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9;                                   \
  }

#ifdef __wasm_relaxed_simd__
LIMIT(fma_f32, float, __builtin_wasm_relaxed_madd_f32x4)
LIMIT(fma_f64, double, __builtin_wasm_relaxed_madd_f64x2)
#else
#define PLAIN(a, b, c) ((a) * (b) + (c))
LIMIT(fma_f32, float, PLAIN)
LIMIT(fma_f64, double, PLAIN)
#endif
