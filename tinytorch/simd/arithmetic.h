/* Inner loops of np.add, subtract, multiply and divide for float32: 4 numbers at a time where they
   lie side by side, one at a time otherwise. Every bit is NumPy's. Not for float64: two at a time
   are hardly faster than one. */

/* A sum along a row is not taken from left to right but as NumPy takes it: 8 sums in turn, which
   just fill two registers, then added in pairs; what is longer than 128 in halves. */
static float sum_f32(const char *a, intp step, intp n) {
  if (n > 128) {
    const intp half = n / 2 / 8 * 8;
    return sum_f32(a, step, half) + sum_f32(a + half * step, step, n - half);
  }
  float total = -0.0f;
  intp i = 0;
#define AT(i) (*(const float *)(a + (i) * step))
  if (n >= 8) {
    f32x4 s = {AT(0), AT(1), AT(2), AT(3)}, t = {AT(4), AT(5), AT(6), AT(7)};
    if (step == 4)
      for (i = 8; i + 8 <= n; i += 8) {
        s += *(const f32x4_anywhere *)(a + 4 * i);
        t += *(const f32x4_anywhere *)(a + 4 * i + 16);
      }
    else
      for (i = 8; i + 8 <= n; i += 8) {
        s += (f32x4){AT(i), AT(i + 1), AT(i + 2), AT(i + 3)};
        t += (f32x4){AT(i + 4), AT(i + 5), AT(i + 6), AT(i + 7)};
      }
    total = ((s[0] + s[1]) + (s[2] + s[3])) + ((t[0] + t[1]) + (t[2] + t[3]));
  }
  for (; i < n; i++) total += AT(i);
#undef AT
  return total;
}

#define FOUR(p) (*(f32x4_anywhere *)(p))
#define LOOP(name, OP, SUMS)                                                                      \
  EXPORT(name) void name(char **args, const intp *dims, const intp *steps, void *data) {          \
    (void)data;                                                                                   \
    const intp n = dims[0], sa = steps[0], sb = steps[1], sc = steps[2], whole = (n & -4) * 4;    \
    char *a = args[0], *b = args[1], *c = args[2];                                                \
    if (SUMS && a == c && sa == 0 && sc == 0) {                                                   \
      *(float *)c += sum_f32(b, sb, n);                                                           \
      return;                                                                                     \
    }                                                                                             \
    intp i = 0;                                                                                   \
    if (sc == 4 && apart_f32(a, c) && apart_f32(b, c)) {                                          \
      if (sa == 4 && sb == 4)                                                                     \
        for (; i < whole; i += 16) FOUR(c + i) = FOUR(a + i) OP FOUR(b + i);                      \
      else if (sa == 4 && sb == 0 && (b < c || b >= c + 4 * n)) {                                 \
        const f32x4 y = wasm_v128_load32_splat(b);                                                \
        for (; i < whole; i += 16) FOUR(c + i) = FOUR(a + i) OP y;                                \
      } else if (sa == 0 && sb == 4 && (a < c || a >= c + 4 * n)) {                               \
        const f32x4 x = wasm_v128_load32_splat(a);                                                \
        for (; i < whole; i += 16) FOUR(c + i) = x OP FOUR(b + i);                                \
      }                                                                                           \
    }                                                                                             \
    for (i /= 4; i < n; i++)                                                                      \
      *(float *)(c + i * sc) = *(const float *)(a + i * sa) OP *(const float *)(b + i * sb);      \
  }
LOOP(tt_add_f32, +, 1)
LOOP(tt_subtract_f32, -, 0)
LOOP(tt_multiply_f32, *, 0)
LOOP(tt_divide_f32, /, 0)
#undef LOOP
#undef FOUR
