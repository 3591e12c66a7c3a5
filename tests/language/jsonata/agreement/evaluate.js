// The reference implementation over a pipe: one JSON line in, {expression, bindings}; one out: {value}, {nothing: true},
// {function: true} where the value holds a function, or {code, message}.
"use strict";

const jsonata = require("jsonata");
const lines = require("readline").createInterface({ input: process.stdin });

const isFunction = (value) =>
  typeof value === "function" || Boolean(value && (value._jsonata_lambda || value._jsonata_function));
const holdsFunction = (value) =>
  isFunction(value) || (typeof value === "object" && value !== null && Object.values(value).some(holdsFunction));
const finite = (key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);

async function answer({ expression, bindings }) {
  try {
    const compiled = jsonata(expression);
    compiled.registerFunction("parse", (text) => JSON.parse(text), "<s:x>"); // AWS's own
    const value = await compiled.evaluate(undefined, bindings);
    if (value === undefined) return { nothing: true };
    return holdsFunction(value) ? { function: true } : { value };
  } catch (error) {
    return { code: error.code || "", message: error.message };
  }
}

(async () => {
  for await (const line of lines) console.log(JSON.stringify(await answer(JSON.parse(line)), finite));
})();
