// What is shown stands in the address: read from it, written to it without asking the server.

export function readAddress() {
  return Object.fromEntries(new URLSearchParams(window.location.search));
}

// Values of null leave no trace.
export function writeAddress(changes) {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) value === null ? query.delete(name) : query.set(name, value);
  const text = query.toString();
  window.history.replaceState(window.history.state, "", window.location.pathname + (text ? `?${text}` : ""));
}
