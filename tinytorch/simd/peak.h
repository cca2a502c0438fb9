/* The machine's limit, as a browser can reach it: multiply-adds on registers and nothing else. Uses
   what gemm.h defines. x: three registers of T, in: x, y, out: a sum, so that no compiler can leave the work out. */

EXPORT(FN(tt_peak)) void FN(tt_peak)(int rounds, T *x) {
  VEC a = LOAD(x), b = LOAD(x + LANES), s0 = a, s1 = a, s2 = a, s3 = a, s4 = a;
  VEC s5 = a, s6 = a, s7 = a, s8 = a, s9 = a;
  /* 20 a round (browser.py counts on it), on 10 sums that do not wait for each other. */
  for (int i = 0; i < rounds; i++) {
    s0 = MADD(s0, a, b); s1 = MADD(s1, a, b); s2 = MADD(s2, a, b); s3 = MADD(s3, a, b);
    s4 = MADD(s4, a, b); s5 = MADD(s5, a, b); s6 = MADD(s6, a, b); s7 = MADD(s7, a, b);
    s8 = MADD(s8, a, b); s9 = MADD(s9, a, b);
    s0 = MADD(s0, b, a); s1 = MADD(s1, b, a); s2 = MADD(s2, b, a); s3 = MADD(s3, b, a);
    s4 = MADD(s4, b, a); s5 = MADD(s5, b, a); s6 = MADD(s6, b, a); s7 = MADD(s7, b, a);
    s8 = MADD(s8, b, a); s9 = MADD(s9, b, a);
  }
  STORE(x + 2 * LANES, s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9);
}
