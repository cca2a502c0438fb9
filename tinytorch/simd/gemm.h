/* One matrix product, C = A @ B, written once for float and double: the file that includes this
   defines T, SPLAT(p), MADD(a, b, c) and FN(name), and gets FN(gemm).

   The idea: a 128-bit register holds LANES numbers, and there are 16 registers. A tile of C, 4 rows
   by 2 registers (4x8 floats), stays in 8 of them while the inner dimension k runs. A step loads 2
   registers of B and 4 numbers of A and does 8 multiply-adds:

                 b0        b1           Each a is copied over a register (splat). 6 loads feed 8
            +---------+---------+       multiply-adds; and 8 sums that do not wait for each other
        a0  |   c00   |   c01   |       are just enough to hide the latency of a multiply-add: 4
        a1  |   c10   |   c11   |       cycles, 2 started in each. A 6-row tile would take 15
        a2  |   c20   |   c21   |       registers and leave the compiler one to work with.
        a3  |   c30   |   c31   |
            +---------+---------+

   All else keeps the numbers near. "Packed" means copied into the order in which the tile reads
   them, which also turns any strides into one straight line. KC x NR of B (16 KB) stays in the first
   cache while the rows of a block pass by it; MC x KC of A (128 KB of floats) stays in the second;
   KC x NC of B (1 MB) is packed once for all blocks of rows.
   Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008. */

#define LANES ((intp)(16 / sizeof(T)))
#define NR (2 * LANES)
#define NC ((intp)(2048 / sizeof(T)))

typedef T FN(vec) __attribute__((vector_size(16)));
typedef T FN(anywhere) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
#define VEC FN(vec)
#define LOAD(p) ((VEC) * (const FN(anywhere) *)(p))
#define STORE(p, x) (*(FN(anywhere) *)(p) = (x))

/* The tile: c = a @ b, or c += a @ b. a: (4, kc), rows at 0, r1, r2, r3, columns acs apart;
   b: (kc, NR), rows bs apart; c: (4, NR), rows at 0, c1, c2, c3. */
static INLINE void FN(tile)(intp kc, const T *a, intp r1, intp r2, intp r3, intp acs, const T *b,
                            intp bs, T *c, intp c1, intp c2, intp c3, int add) {
  VEC c00 = {0}, c01 = {0}, c10 = {0}, c11 = {0}, c20 = {0}, c21 = {0}, c30 = {0}, c31 = {0};
  for (intp k = 0; k < kc; k++, a += acs, b += bs) {
    VEC b0 = LOAD(b), b1 = LOAD(b + LANES), x;
    x = SPLAT(a);      c00 = MADD(x, b0, c00); c01 = MADD(x, b1, c01);
    x = SPLAT(a + r1); c10 = MADD(x, b0, c10); c11 = MADD(x, b1, c11);
    x = SPLAT(a + r2); c20 = MADD(x, b0, c20); c21 = MADD(x, b1, c21);
    x = SPLAT(a + r3); c30 = MADD(x, b0, c30); c31 = MADD(x, b1, c31);
  }
  if (add) {
    c00 += LOAD(c);      c01 += LOAD(c + LANES);
    c10 += LOAD(c + c1); c11 += LOAD(c + c1 + LANES);
    c20 += LOAD(c + c2); c21 += LOAD(c + c2 + LANES);
    c30 += LOAD(c + c3); c31 += LOAD(c + c3 + LANES);
  }
  STORE(c, c00);      STORE(c + LANES, c01);
  STORE(c + c1, c10); STORE(c + c1 + LANES, c11);
  STORE(c + c2, c20); STORE(c + c2 + LANES, c21);
  STORE(c + c3, c30); STORE(c + c3 + LANES, c31);
}

static KEEP void FN(tile_packed)(intp kc, const T *a, const T *b, intp bs, T *c, intp c1, intp c2,
                                 intp c3, int add) {
  FN(tile)(kc, a, 1, 2, 3, MR, b, bs, c, c1, c2, c3, add);
}

static KEEP void FN(tile_in_place)(intp kc, const T *a, intp r1, intp r2, intp r3, intp acs,
                                   const T *b, intp bs, T *c, intp c1, intp c2, intp c3, int add) {
  FN(tile)(kc, a, r1, r2, r3, acs, b, bs, c, c1, c2, c3, add);
}

/* kc x w of B, w <= NR, into rows of NR; columns that are not there become zeros. */
static void FN(pack_b)(intp kc, intp w, const T *b, intp brs, intp bcs, T *to) {
  if (w == NR && bcs == 1) {
    for (intp k = 0; k < kc; k++, b += brs, to += NR) {
      STORE(to, LOAD(b));
      STORE(to + LANES, LOAD(b + LANES));
    }
    return;
  }
  if (w == NR) { /* the same with a length the compiler knows */
    for (intp k = 0; k < kc; k++, b += brs, to += NR)
      for (intp j = 0; j < NR; j++) to[j] = b[j * bcs];
    return;
  }
  for (intp k = 0; k < kc; k++, b += brs, to += NR) {
    STORE(to, (VEC){0});
    STORE(to + LANES, (VEC){0});
    for (intp j = 0; j < w; j++) to[j] = b[j * bcs];
  }
}

/* h x kc of A, h <= MR, into columns of MR; rows that are not there repeat the first. */
static void FN(pack_a)(intp kc, intp h, const T *a, intp ars, intp acs, T *to) {
  intp r1 = h > 1 ? ars : 0, r2 = h > 2 ? 2 * ars : 0, r3 = h > 3 ? 3 * ars : 0;
  if (h == MR && ars == 1) { /* a transposed matrix: 4 rows are 4 neighbors */
    for (intp k = 0; k < kc; k++, a += acs, to += MR)
      for (intp i = 0; i < MR; i += LANES) STORE(to + i, LOAD(a + i));
    return;
  }
  for (intp k = 0; k < kc; k++, a += acs, to += MR) {
    to[0] = a[0]; to[1] = a[r1]; to[2] = a[r2]; to[3] = a[r3];
  }
}

/* c (m) = A (m, k) @ b (k), rows of A and b contiguous: a tile would leave its lanes idle, so here
   the lanes run along k, and 4 rows share each load of b. */
static KEEP void FN(matrix_vector)(intp m, intp k, const T *a, intp ars, const T *b, T *c, intp cs) {
  for (intp i = 0; i < m; i += MR, a += MR * ars, c += MR * cs) {
    intp h = min(MR, m - i), p = 0;
    intp r1 = h > 1 ? ars : 0, r2 = h > 2 ? 2 * ars : 0, r3 = h > 3 ? 3 * ars : 0;
    VEC s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
    for (; p + LANES <= k; p += LANES) {
      VEC x = LOAD(b + p);
      s0 = MADD(LOAD(a + p), x, s0);
      s1 = MADD(LOAD(a + r1 + p), x, s1);
      s2 = MADD(LOAD(a + r2 + p), x, s2);
      s3 = MADD(LOAD(a + r3 + p), x, s3);
    }
    T t0 = 0, t1 = 0, t2 = 0, t3 = 0;
    for (int l = 0; l < LANES; l++) t0 += s0[l], t1 += s1[l], t2 += s2[l], t3 += s3[l];
    for (; p < k; p++) {
      t0 += a[p] * b[p];
      t1 += a[r1 + p] * b[p];
      t2 += a[r2 + p] * b[p];
      t3 += a[r3 + p] * b[p];
    }
    c[0] = t0;
    if (h > 1) c[cs] = t1;
    if (h > 2) c[2 * cs] = t2;
    if (h > 3) c[3 * cs] = t3;
  }
}

/* c (n) = a (k) @ B (k, n), rows of B and c contiguous, n >= 8 registers: the tile's 8 sums laid
   side by side. The last stripe is moved back to end at n; what it computes again is the same. */
static KEEP void FN(vector_matrix)(intp k, intp n, const T *a, intp as, const T *b, intp brs, T *c) {
  for (intp j = 0; j < n; j += 8 * LANES) {
    intp at = min(j, n - 8 * LANES);
    const T *x = a, *y = b + at;
    VEC s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
    for (intp p = 0; p < k; p++, x += as, y += brs) {
      VEC v = SPLAT(x);
      s0 = MADD(v, LOAD(y), s0);             s1 = MADD(v, LOAD(y + LANES), s1);
      s2 = MADD(v, LOAD(y + 2 * LANES), s2); s3 = MADD(v, LOAD(y + 3 * LANES), s3);
      s4 = MADD(v, LOAD(y + 4 * LANES), s4); s5 = MADD(v, LOAD(y + 5 * LANES), s5);
      s6 = MADD(v, LOAD(y + 6 * LANES), s6); s7 = MADD(v, LOAD(y + 7 * LANES), s7);
    }
    STORE(c + at, s0);             STORE(c + at + LANES, s1);
    STORE(c + at + 2 * LANES, s2); STORE(c + at + 3 * LANES, s3);
    STORE(c + at + 4 * LANES, s4); STORE(c + at + 5 * LANES, s5);
    STORE(c + at + 6 * LANES, s6); STORE(c + at + 7 * LANES, s7);
  }
}

/* C (m, n) = A (m, k) @ B (k, n). Strides are in elements and may be anything, negative or zero;
   m, k, n >= 1; C overlaps neither A nor B. Returns 0 if no memory could be had for packing (C is
   then untouched), else 1. */
static int FN(gemm)(intp m, intp k, intp n, const T *a, intp ars, intp acs, const T *b, intp brs,
                    intp bcs, T *c, intp crs, intp ccs) {
  /* C.T = B.T @ A.T is the same work. Take it where it gives whole rows to store or, when one side
     is a vector, contiguous rows to run along. */
  int turn = m == 1   ? n > 1 && brs == 1 && bcs != 1
             : n == 1 ? ars == 1 && acs != 1
                      : crs == 1 && ccs != 1;
  if (turn) {
    intp t; const T *s;
    s = a; a = b; b = s;
    t = m; m = n; n = t;
    t = ars; ars = bcs; bcs = t;
    t = acs; acs = brs; brs = t;
    t = crs; crs = ccs; ccs = t;
  }
  if (n == 1 && acs == 1 && brs == 1) {
    FN(matrix_vector)(m, k, a, ars, b, c, crs);
    return 1;
  }
  if (m == 1 && bcs == 1 && ccs == 1 && n >= 8 * LANES) {
    FN(vector_matrix)(k, n, a, acs, b, brs, c);
    return 1;
  }

  /* Packing costs a pass over the operand. B is read in place where few rows would use the copy or
     all of it fits the first cache, A wherever its rows are contiguous: 4 rows are 4 straight lines,
     which the processor fetches ahead of their use as well as it does one. */
  int b_in_place = bcs == 1 && (m <= 2 * MR || n * k <= (intp)(16384 / sizeof(T)));
  int a_in_place = acs == 1 || m * k <= (intp)(4096 / sizeof(T));
  intp blocks = (k + KC - 1) / KC; /* of equal length: a short last one would be all overhead */
  intp kc_max = (k + blocks - 1) / blocks, n_packed = b_in_place ? NR : (min(n, NC) + NR - 1) / NR * NR;
  T edge[KC * NR]__attribute__((aligned(64)));   /* the last, narrow panel of B; 16 KB */
  T *bp = edge, *ap = 0;
  void *memory = 0;
  if (n_packed > NR || !a_in_place) {
    intp b_size = kc_max * n_packed, a_size = a_in_place ? 0 : kc_max * (min(m, MC) + MR - 1);
    memory = malloc((b_size + a_size) * sizeof(T) + 64);
    if (!memory) return 0;
    bp = (T *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    ap = bp + b_size;
  }

  for (intp jc = 0; jc < n; jc += NC) {
    intp nc = min(NC, n - jc);
    for (intp pc = 0; pc < k; pc += kc_max) {
      intp kc = min(kc_max, k - pc);
      const T *bk = b + pc * brs + jc * bcs;
      for (intp j = b_in_place ? nc / NR * NR : 0; j < nc; j += NR)
        FN(pack_b)(kc, min(NR, nc - j), bk + j * bcs, brs, bcs, b_in_place ? bp : bp + j * kc);
      for (intp ic = 0; ic < m; ic += MC) {
        intp mc = min(MC, m - ic);
        const T *ak = a + ic * ars + pc * acs;
        if (!a_in_place)
          for (intp i = 0; i < mc; i += MR)
            FN(pack_a)(kc, min(MR, mc - i), ak + i * ars, ars, acs, ap + i * kc);
        for (intp j = 0; j < nc; j += NR) {
          intp w = min(NR, nc - j), whole = w == NR && ccs == 1;
          const T *bj = !b_in_place ? bp + j * kc : w == NR ? bk + j : bp;
          intp bs = b_in_place && w == NR ? brs : NR;
          for (intp i = 0; i < mc; i += MR) {
            intp h = min(MR, mc - i);
            /* Rows that are not there are the first one again: computed twice, stored twice. */
            intp e1 = h > 1, e2 = h > 2 ? 2 : 0, e3 = h > 3 ? 3 : 0;
            T *ci = c + (ic + i) * crs + (jc + j) * ccs, spare[MR * NR];
            T *to = whole ? ci : spare;
            intp ts = whole ? crs : NR, add = whole && pc > 0;
            if (a_in_place)
              FN(tile_in_place)(kc, ak + i * ars, e1 * ars, e2 * ars, e3 * ars, acs, bj, bs,
                       to, e1 * ts, e2 * ts, e3 * ts, add);
            else
              FN(tile_packed)(kc, ap + i * kc, bj, bs, to, e1 * ts, e2 * ts, e3 * ts, add);
            if (!whole)
              for (intp r = 0; r < h; r++)
                for (intp q = 0; q < w; q++) {
                  T *e = ci + r * crs + q * ccs, x = spare[r * NR + q];
                  *e = pc > 0 ? *e + x : x;
                }
          }
        }
      }
    }
  }
  free(memory);
  return 1;
}
