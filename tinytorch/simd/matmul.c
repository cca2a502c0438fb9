/* What NumPy calls in a browser: the float32 and float64 inner loops of np.matmul (gemm.h), maximum
   and minimum (maximum.h), those of float32 arithmetic (arithmetic.h) and functions (exponential.h);
   and when the work goes to NumPy's own loop instead. And the limit that a product is measured
   against (peak.h). */

#include <stdint.h>
#include <wasm_simd128.h>

typedef long intp; /* npy_intp */
typedef void loop(char **args, const intp *dims, const intp *steps, void *data);

/* The allocator is the one of the module that loads us. */
#ifndef FROM_MAIN
#define FROM_MAIN(name) __attribute__((import_module("env"), import_name(#name)))
#endif
FROM_MAIN(malloc) void *malloc(unsigned long);
FROM_MAIN(free) void free(void *);

#define INLINE inline __attribute__((always_inline))
#define KEEP __attribute__((noinline))
#define EXPORT(name) EXPORT_AS(name)
#define EXPORT_AS(name) __attribute__((export_name(#name), visibility("default")))

static INLINE intp min(intp a, intp b) { return a < b ? a : b; }

#define MR 4
#define KC 512
#define MC 64

#define T float
#define FN(name) name##_f32
#define SPLAT(p) ((VEC)wasm_v128_load32_splat(p))
#ifdef __wasm_relaxed_simd__
#define MADD(a, b, c) __builtin_wasm_relaxed_madd_f32x4(a, b, c)
#else
#define MADD(a, b, c) ((c) + (a) * (b))
#endif
#include "gemm.h"
#include "peak.h"
#undef T
#undef FN
#undef SPLAT
#undef MADD

#define T double
#define FN(name) name##_f64
#define SPLAT(p) ((VEC)wasm_v128_load64_splat(p))
#ifdef __wasm_relaxed_simd__
#define MADD(a, b, c) __builtin_wasm_relaxed_madd_f64x2(a, b, c)
#else
#define MADD(a, b, c) ((c) + (a) * (b))
#endif
#include "gemm.h"
#include "peak.h"
#undef T
#undef FN
#undef SPLAT
#undef MADD

/* NumPy's own loops, told to us when ours take their place; in the order of LOOPS in browser.py. */
static loop *numpy_loops[13];

EXPORT(tt_set_numpy_loop) void tt_set_numpy_loop(int which, loop *own) { numpy_loops[which] = own; }

/* What NumPy's loop does sooner: products so small that setting up costs more than it saves, and
   those in which nearly all of a tile would be idle. Found by measuring (bench/). */
static int small(intp m, intp k, intp n) {
  if (m == 1 || n == 1) return k < 4 || (int64_t)m * k * n < 256;
  return m * n < 16 || (int64_t)m * k * n < 256;
}

/* The inner loops. dims: outer, m, k, n. steps, in bytes: one for each operand's outer dimension,
   then rows and columns of A, B and C. Strides that do not step over whole elements are NumPy's. */
#define LOOP(name, type, gemm, numpy)                                                            \
  EXPORT(name) void name(char **args, const intp *dims, const intp *steps, void *data) {         \
    const intp m = dims[1], k = dims[2], n = dims[3], z = sizeof(type), *s = steps + 3;          \
    int between = ((s[0] | s[1] | s[2] | s[3] | s[4] | s[5]) & (z - 1)) != 0;                    \
    if (between || small(m, k, n)) {                                                             \
      numpy(args, dims, steps, data);                                                            \
      return;                                                                                    \
    }                                                                                            \
    char *a = args[0], *b = args[1], *c = args[2];                                               \
    for (intp o = 0; o < dims[0]; o++, a += steps[0], b += steps[1], c += steps[2])              \
      if (!gemm(m, k, n, (type *)a, s[0] / z, s[1] / z, (type *)b, s[2] / z, s[3] / z,           \
                (type *)c, s[4] / z, s[5] / z)) {                                                \
        char *one[3] = {a, b, c};                                                                \
        intp once[4] = {1, m, k, n};                                                             \
        numpy(one, once, steps, data);                                                           \
      }                                                                                          \
  }
LOOP(tt_matmul_f32, float, gemm_f32, numpy_loops[0])
LOOP(tt_matmul_f64, double, gemm_f64, numpy_loops[1])
#undef LOOP

#define T float
#define BITS int32_t
#define FN(name) name##_f32
#define SPLAT(p) ((FN(lanes))wasm_v128_load32_splat(p))
#define FIRST 2
#include "maximum.h"
#undef T
#undef BITS
#undef FN
#undef SPLAT
#undef FIRST

#define T double
#define BITS int64_t
#define FN(name) name##_f64
#define SPLAT(p) ((FN(lanes))wasm_v128_load64_splat(p))
#define FIRST 4
#include "maximum.h"

#include "exponential.h"
#include "arithmetic.h"
