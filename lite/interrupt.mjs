// Stopping a cell without shared memory, which takes headers that a plain host does not send.
//
// Python that runs looks now and then at element 0 of a buffer; a 2 there is an interrupt, the same as
// Ctrl-C in a terminal. Nobody can write into the memory of a busy worker. So the "buffer" is an object
// whose element 0 asks, twice a second, by a request that waits for the service worker's answer.
//
// It does not hear while NumPy is inside one call: an interrupt comes between two steps of Python.
const EVERY = 500; // ms
const LOOK = 1000; // loop turns and calls of Python from one look to the next; it would take 50

// Returns what is to be told when a cell begins (true) and ends (false): only then is anybody asked.
export function interruptible(pyodide, lite) {
  if (!self.name) return () => {}; // not a worker of shell.js, which names the one it asks to stop
  const url = new URL(`api/interrupt?python=${self.name}`, lite);
  const { _module: module } = pyodide;
  const clock = module.__Py_emscripten_signal_clock / 4; // CPython's count down to the next look
  let next = Infinity;
  const wait = () => (next = performance.now() + EVERY);
  pyodide.setInterruptBuffer({
    get 0() {
      module.HEAP32[clock] = LOOK;
      if (performance.now() < next) return 0;
      const stop = asked(url);
      wait();
      return stop ? 2 : 0;
    },
    set 0(value) {}, // Python takes the interrupt back; the service worker has told it once
  });
  return (running) => (running ? wait() : (next = Infinity));
}

function asked(url) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  try {
    request.send();
    return request.status === 200 && request.responseText === "stop";
  } catch {
    return false;
  }
}
