// Runs the tests in Node.js, with the options of `node --test` that it is given.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** Versions of Node.js before 21 read the text of numbers only with this, and one to come will not know it. */
const NUMBERS = "--harmony-json-parse-with-source";

const known = spawnSync(process.execPath, ["--v8-options"], { encoding: "utf8" }).stdout;
const options = known.includes(`${NUMBERS} `) ? [NUMBERS] : [];
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".test.js"));
const tests = files.map((name) => join(FOLDER, name));
const { status } = spawnSync(process.execPath, [...options, "--test", ...process.argv.slice(2), ...tests], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
