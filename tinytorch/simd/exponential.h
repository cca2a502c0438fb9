/* Inner loops of np.exp, np.tanh and np.sqrt for float32. NumPy without SIMD calls the C library
   for each number. Here 4 go at once, all through the same few multiplications; nothing is looked up
   and nothing decided:

     e^x = 2^y = 2^k 2^f,  y = x log2(e),  k = y rounded,  f = y - k in [-1/2, 1/2]

   2^k is made of bits, and 2^f - 1 = f Q(f), Q a polynomial of degree 7 (minimax, relative error
   5e-12). All of it is float64, rounded to float32 at the end, so that the result is the float32
   nearest to the true value unless that lies as good as in the middle between two. Of all 2^32
   arguments, 1,141 have another exp than the nearest and 7,118 another tanh, the next one. */

typedef double f64x2 __attribute__((vector_size(16)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_anywhere __attribute__((vector_size(16), aligned(4), may_alias));

#ifdef __wasm_relaxed_simd__
#define MADD(a, b, c) __builtin_wasm_relaxed_madd_f64x2(a, b, c)
#else
#define MADD(a, b, c) ((c) + (a) * (b))
#endif

/* Read from memory, which costs nothing. As constants in the code, a browser's compiler would put
   each together anew, by four instructions, wherever it is used: a third of the speed. */
typedef struct { f64x2 one, two, log2_e, log2_e2, round, q[8]; } numbers;
#define X2(x) {x, x}
static const numbers constants = {
  .one = X2(1),
  .two = X2(2),
  .log2_e = X2(0x1.71547652b82fep0),
  .log2_e2 = X2(0x1.71547652b82fep1),
  .round = X2(0x1.8p52), /* so large that its last bit is worth 1: adding it rounds */
  .q = {X2(0x1.62c00cd31f60ep-20), X2(0x1.00c08140ee094p-16), X2(0x1.43099b52242a2p-13),
        X2(0x1.5d87762d9ef9cp-10), X2(0x1.3b2ab6a0df164p-7), X2(0x1.c6b08da69cd03p-5),
        X2(0x1.ebfbdff85f4a1p-3), X2(0x1.62e42fef9cdf6p-1)},
};
#undef X2

/* 2^y as s + s g: s = 2^k, g = 2^f - 1, as exact for a tiny f as for a large one. */
static INLINE f64x2 power_of_two(f64x2 y, f64x2 *s, const numbers *n) {
  f64x2 k = y + n->round, f = y - (k - n->round), q = n->q[0];
  *s = (f64x2)(((i64x2)k << 52) + (i64x2)n->one);
  q = MADD(q, f, n->q[1]);
  q = MADD(q, f, n->q[2]);
  q = MADD(q, f, n->q[3]);
  q = MADD(q, f, n->q[4]);
  q = MADD(q, f, n->q[5]);
  q = MADD(q, f, n->q[6]);
  q = MADD(q, f, n->q[7]);
  return q * f;
}

static INLINE f64x2 exp_two(f64x2 x, const numbers *n) {
  f64x2 s, g = power_of_two(x * n->log2_e, &s, n);
  return MADD(s, g, s);
}

/* x >= 0. From e = exp(2x) - 1, whose relative error stays small where x is. */
static INLINE f64x2 tanh_two(f64x2 x, const numbers *n) {
  f64x2 s, g = power_of_two(x * n->log2_e2, &s, n), e = MADD(s, g, s - n->one);
  return e / (e + n->two);
}

#define LOW(x) wasm_f64x2_promote_low_f32x4(x)
#define HIGH(x) LOW(wasm_i32x4_shuffle(x, x, 2, 3, 2, 3))
#define JOIN(low, high)                                                                           \
  wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high), 0, 1, \
                     4, 5)

/* Beyond 150 the result is infinite, below -150 it is 0, and to there 2^k fits a float64. */
static INLINE f32x4 exp_four(f32x4 x, const numbers *n) {
  v128_t near = wasm_f32x4_pmin(wasm_f32x4_splat(150), x);
  near = wasm_f32x4_pmax(wasm_f32x4_splat(-150), near);
  v128_t y = JOIN(exp_two(LOW(near), n), exp_two(HIGH(near), n));
  return wasm_v128_bitselect(x + x, y, x != x); /* a NaN goes on */
}

/* tanh(-x) = -tanh(x), zeros included; from 9.02 on the nearest float32 is 1. */
static INLINE f32x4 tanh_four(f32x4 x, const numbers *n) {
  const v128_t sign = wasm_i32x4_splat(INT32_MIN);
  v128_t near = wasm_f32x4_pmin(wasm_f32x4_splat(10), wasm_v128_andnot(x, sign));
  v128_t y = JOIN(tanh_two(LOW(near), n), tanh_two(HIGH(near), n));
  y = wasm_v128_bitselect(x, y, sign);
  return wasm_v128_bitselect(x + x, y, x != x);
}

/* The processor's own, four at once: exact to the last bit anyway. */
static INLINE f32x4 sqrt_four(f32x4 x, const numbers *n) {
  (void)n;
  return wasm_f32x4_sqrt(x);
}

/* Numbers that are not side by side, and the last ones, are gathered: the result for a number does
   not depend on where it lies. The empty assembler keeps the compiler from seeing which constants
   are read. */
#define LOOP(name, four)                                                                          \
  EXPORT(name) void name(char **args, const intp *dims, const intp *steps, void *data) {          \
    (void)data;                                                                                   \
    const numbers *k = &constants;                                                                \
    __asm__("" : "+r"(k));                                                                        \
    const char *x = args[0];                                                                      \
    char *y = args[1];                                                                            \
    intp n = dims[0], sx = steps[0], sy = steps[1];                                               \
    if (sx == 4 && sy == 4)                                                                       \
      for (; n >= 4; n -= 4, x += 16, y += 16)                                                    \
        *(f32x4_anywhere *)y = four(*(const f32x4_anywhere *)x, k);                               \
    for (; n > 0; n -= 4, x += 4 * sx, y += 4 * sy) {                                             \
      const intp s1 = n > 1 ? sx : 0, s2 = n > 2 ? 2 * sx : 0, s3 = n > 3 ? 3 * sx : 0;           \
      f32x4 v = {*(float *)x, *(float *)(x + s1), *(float *)(x + s2), *(float *)(x + s3)};        \
      v = four(v, k);                                                                             \
      *(float *)y = v[0];                                                                         \
      if (n > 1) *(float *)(y + sy) = v[1];                                                       \
      if (n > 2) *(float *)(y + 2 * sy) = v[2];                                                   \
      if (n > 3) *(float *)(y + 3 * sy) = v[3];                                                   \
    }                                                                                             \
  }
LOOP(tt_exp_f32, exp_four)
LOOP(tt_tanh_f32, tanh_four)
LOOP(tt_sqrt_f32, sqrt_four)
#undef LOOP
