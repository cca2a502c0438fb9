// What Python starts with arrives whole, or the start ends with the reason: left alone, Pyodide waits
// for ever for a file that does not come.
//
// `missing` rejects with the first file that did not arrive, or that the service worker found to be
// other than what the site was built with.
const native = self.fetch;

export const missing = new Promise((_, refuse) => {
  const end = (name, why) => {
    const error = new Error(`${name} ${why}`);
    refuse(error);
    throw error;
  };
  self.fetch = async (...args) => {
    const response = await native(...args).catch(() => {
      const name = new URL(args[0]?.url ?? args[0], self.location.href).pathname.split("/").pop();
      return end(name, "could not be fetched. Is there a connection? Reload the page to try again");
    });
    const damaged = response.headers.get("X-TinyTorch-Damaged");
    if (!damaged) return response;
    const why = "it arrived damaged, or the site has just changed. Reload the page";
    return end(damaged, `is not the file this site was built with: ${why}`);
  };
});
missing.catch(() => {}); // whoever starts Python says it
