/* Inner loops of np.maximum and np.minimum, for the type T: relu is np.maximum(x, 0), and NumPy's
   loop without SIMD decides with a branch, which on numbers of random sign is guessed wrong half the
   time. Here nothing is guessed, and every bit is NumPy's: a NaN in either operand goes on, the
   first one's before the second's; of equal numbers (0 and -0) the first is taken. */

typedef T FN(lanes) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
typedef BITS FN(bits) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));

#define PICK(name, WINS)                                                                          \
  static INLINE FN(lanes) name(FN(lanes) x, FN(lanes) y) {                                        \
    FN(bits) first = (FN(bits))(x WINS y) | (FN(bits))(x != x);                                   \
    return (FN(lanes))(((FN(bits))x & first) | ((FN(bits))y & ~first));                           \
  }
PICK(FN(larger), >=)
PICK(FN(smaller), <=)
#undef PICK

/* Whether writing c while reading x, a register at a time, is as good as one number at a time: x is
   c, or is not about to be overwritten within this register. np.maximum.accumulate is not. */
static INLINE int FN(apart)(const char *x, const char *c) { return c <= x || c - x >= 16; }

#define LOOP(name, pick, numpy)                                                                   \
  EXPORT(name) void name(char **args, const intp *dims, const intp *steps, void *data) {          \
    const intp n = dims[0], z = sizeof(T), whole = n & -(intp)(16 / sizeof(T));                   \
    const intp sa = steps[0], sb = steps[1];                                                      \
    char *a = args[0], *b = args[1], *c = args[2];                                                \
    int fits = n >= 16 && steps[2] == z && (sa == z || sb == z) && (sa == z || sa == 0) &&        \
               (sb == z || sb == 0) && FN(apart)(a, c) && FN(apart)(b, c);                        \
    /* A lone operand that is part of the result changes on the way. */                           \
    if (sa == 0 && a >= c && a < c + n * z) fits = 0;                                             \
    if (sb == 0 && b >= c && b < c + n * z) fits = 0;                                             \
    if (!fits) {                                                                                  \
      numpy(args, dims, steps, data);                                                             \
      return;                                                                                     \
    }                                                                                             \
    if (sa == z && sb == z) {                                                                     \
      for (intp i = 0; i < whole * z; i += 16)                                                    \
        *(FN(lanes) *)(c + i) = pick(*(FN(lanes) *)(a + i), *(FN(lanes) *)(b + i));               \
    } else if (sb == 0) {                                                                         \
      const FN(lanes) y = SPLAT(b);                                                               \
      for (intp i = 0; i < whole * z; i += 16)                                                    \
        *(FN(lanes) *)(c + i) = pick(*(FN(lanes) *)(a + i), y);                                   \
    } else {                                                                                      \
      const FN(lanes) x = SPLAT(a);                                                               \
      for (intp i = 0; i < whole * z; i += 16)                                                    \
        *(FN(lanes) *)(c + i) = pick(x, *(FN(lanes) *)(b + i));                                   \
    }                                                                                             \
    char *rest[3] = {a + whole * sa, b + whole * sb, c + whole * z};                              \
    intp left = n - whole;                                                                        \
    if (left) numpy(rest, &left, steps, data);                                                    \
  }
LOOP(FN(tt_maximum), FN(larger), numpy_loops[FIRST])
LOOP(FN(tt_minimum), FN(smaller), numpy_loops[FIRST + 1])
#undef LOOP
