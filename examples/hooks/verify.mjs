// Verifies a delivery with Node alone: node verify.mjs SECRET HEADERS.json BODY
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const TOLERANCE = 300; // seconds

/** Returns the event; throws for a call that somebody else made, or that was sent long ago.
 * `body` is a Buffer of the bytes as they came; `headers` has names in lower case, as Node's request.headers has. */
export function verify(body, headers, secret) {
  const [id, sent, signatures] = ["id", "timestamp", "signature"].map((name) => headers[`webhook-${name}`]);
  if (!id || !/^\d+$/.test(sent ?? "") || !signatures) throw new Error("a webhook header is missing or wrong");
  if (Math.abs(Date.now() / 1000 - Number(sent)) > TOLERANCE) {
    throw new Error("it was sent too long ago, or a clock is wrong");
  }
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const digest = createHmac("sha256", key).update(`${id}.${sent}.`).update(body).digest("base64");
  const right = Buffer.from(`v1,${digest}`);
  const matches = (one) => one.length === right.length && timingSafeEqual(one, right);
  if (!signatures.split(" ").some((one) => matches(Buffer.from(one)))) throw new Error("no signature is right");
  return JSON.parse(body.toString());
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [secret, headersPath, bodyPath] = process.argv.slice(2);
  const given = Object.entries(JSON.parse(readFileSync(headersPath, "utf8")));
  const headers = Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
  const event = verify(readFileSync(bodyPath), headers, secret);
  console.log(event.type, event.data.id);
}
