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

/* Reduced to one number, as in x.max(-1): c = pick(c, b[i]) for all i. In another order than NumPy's,
   which shows only in the bits of a NaN and in the sign of a zero: then the answer is 0 and c as it
   was. */
#define REDUCE(name, pick, WINS)                                                                  \
  static INLINE int name(intp n, const T *b, T *c) {                                              \
    const intp w = 16 / sizeof(T);                                                                \
    intp i = 0;                                                                                   \
    T best = *c;                                                                                  \
    if (n >= 4 * w) {                                                                             \
      const FN(lanes) *p = (const FN(lanes) *)b;                                                  \
      FN(lanes) x0 = p[0], x1 = p[1], x2 = p[2], x3 = p[3];                                       \
      for (i = 4 * w; i + 4 * w <= n; i += 4 * w) {                                               \
        p = (const FN(lanes) *)(b + i);                                                           \
        x0 = pick(x0, p[0]), x1 = pick(x1, p[1]), x2 = pick(x2, p[2]), x3 = pick(x3, p[3]);       \
      }                                                                                           \
      x0 = pick(pick(x0, x1), pick(x2, x3));                                                      \
      for (; i + w <= n; i += w) x0 = pick(x0, *(const FN(lanes) *)(b + i));                      \
      for (int l = 0; l < w; l++) best = best WINS x0[l] || best != best ? best : x0[l];          \
    }                                                                                             \
    for (; i < n; i++) best = best WINS b[i] || best != best ? best : b[i];                       \
    if (!(best < 0 || best > 0)) return 0;                                                        \
    *c = best;                                                                                    \
    return 1;                                                                                     \
  }
REDUCE(FN(largest), FN(larger), >=)
REDUCE(FN(smallest), FN(smaller), <=)
#undef REDUCE

#define LOOP(name, pick, reduce, numpy)                                                                   \
  EXPORT(name) void name(char **args, const intp *dims, const intp *steps, void *data) {          \
    const intp n = dims[0], z = sizeof(T), whole = n & -(intp)(16 / sizeof(T));                   \
    const intp sa = steps[0], sb = steps[1];                                                      \
    char *a = args[0], *b = args[1], *c = args[2];                                                \
    if (a == c && sa == 0 && steps[2] == 0 && sb == z && reduce(n, (T *)b, (T *)c)) return;        \
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
LOOP(FN(tt_maximum), FN(larger), FN(largest), numpy_loops[FIRST])
LOOP(FN(tt_minimum), FN(smaller), FN(smallest), numpy_loops[FIRST + 1])
#undef LOOP
