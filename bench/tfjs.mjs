// TensorFlow.js on its wasm backend, one thread, SIMD: what a JavaScript page would use.
await import("/tfjs-core/tf-core.min.js");
await import("/tfjs-backend-wasm/tf-backend-wasm.min.js");
const tf = globalThis.tf;
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
tf.wasm.setWasmPaths("/tfjs-backend-wasm/");
await tf.setBackend("wasm");
await tf.ready();
export const backend = tf.getBackend();

let a, b;
export const operands = (shapeA, shapeB) => {
  a?.dispose();
  b?.dispose();
  a = tf.randomUniform([...shapeA], -1, 1, "float32");
  b = tf.randomUniform([...shapeB], -1, 1, "float32");
};
export const multiply = (times) => {
  for (let i = 0; i < times; i++) tf.matMul(a, b).dispose();
};
