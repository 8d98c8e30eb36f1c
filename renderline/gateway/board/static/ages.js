// Keeps "3 min" true in <time data-ago>, without asking the server.
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"]];

export function age(seconds) {
  const left = Math.max(0, seconds);
  for (const [size, unit] of UNITS) if (left >= size) return `${Math.floor(left / size)} ${unit}`;
  return `${Math.floor(left)} s`;
}

function refresh() {
  if (document.hidden) return;
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const text = age((now - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

export function keepAges() {
  setInterval(refresh, 5000);
}
