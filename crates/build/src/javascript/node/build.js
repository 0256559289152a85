// Builds an agent's sources into a core module: what is asked for comes as JSON on standard input, and the answer goes to
// standard output.

import childProcess from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

import { bundle } from "./bundle.js";
import { find } from "./positions.js";
import { Problems } from "./problems.js";

/**
 * @typedef {object} Request
 * @property {string} root the project's folder
 * @property {import("./bundle.js").Source[]} sources
 * @property {string} output where the core module goes
 * @property {string} scratch a folder of our own
 * @property {number} maxBytes how large all files together may be
 * @property {number} maxSeconds how long the sources may take to load
 */

/** The bundle's name in stacks. */
const BUNDLE = "agent.js";

/** What a line begins with that the SDK prints for us, and not the author for people. */
const REPORT = "agent-memory-report:";

/** What it means if the sources do not end to load. */
const LOOP = "is there a loop without an end outside of functions?";

/** @type {Request} */
const request = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(await build(request)));

/**
 * @param {Request} request
 * @returns {Promise<object>}
 */
async function build({ root, sources, output, scratch, maxBytes, maxSeconds }) {
  const bundled = await bundle(root, sources, BUNDLE, maxBytes).catch((error) => {
    if (error instanceof Problems) return { problems: error.problems };
    throw error;
  });
  if ("problems" in bundled) return bundled;
  const { code, positions, inputs, remarks } = bundled;

  // The engine is told where its script is by a path that begins with the working directory.
  const folder = join(scratch, "bundle");
  await mkdir(folder);
  process.chdir(folder);
  await writeFile(BUNDLE, code);
  const loading = watchLoading(maxSeconds);
  try {
    const { component } = await componentize({
      sourcePath: join(folder, BUNDLE),
      witPath: fileURLToPath(new URL("wit", import.meta.url)),
      worldName: "functions-component",
      disableFeatures: ["http", "fetch-event"],
    });
    await writeFile(output, component);
  } catch (error) {
    const { printed, report } = loading();
    return { printed, report, engine: engineProblem(error, positions, maxSeconds), remarks };
  }
  return { ...loading(), inputs, remarks };
}

/**
 * Has the sources loaded for no longer than that, and what they print kept. componentize-js would wait for ever, and pass
 * it on.
 *
 * @param {number} maxSeconds
 * @returns {() => { printed: string, report: unknown }} what was printed, and what the SDK has reported
 */
function watchLoading(maxSeconds) {
  const { spawnSync } = childProcess;
  let output = "";
  childProcess.spawnSync = /** @type {typeof spawnSync} */ (
    (/** @type {string} */ command, /** @type {string[]} */ args, /** @type {object} */ options) => {
      const limits = { timeout: maxSeconds * 1000, killSignal: /** @type {const} */ ("SIGKILL") };
      const result = spawnSync(command, args, { ...options, ...limits, stdio: "pipe", encoding: "utf8" });
      output += result.stdout;
      return result;
    }
  );
  syncBuiltinESMExports();
  return () => {
    const lines = output.split("\n");
    const report = lines.find((line) => line.startsWith(REPORT));
    return {
      printed: lines
        .filter((line) => !line.startsWith(REPORT))
        .join("\n")
        .trim(),
      report: report && JSON.parse(report.slice(REPORT.length)),
    };
  };
}

/**
 * What the engine said of sources that it could not load.
 *
 * @param {unknown} error
 * @param {import("./positions.js").Positions} positions
 * @param {number} maxSeconds
 * @returns {import("./problems.js").Problem}
 */
function engineProblem(error, positions, maxSeconds) {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("killed by signal: SIGKILL")) {
    return { message: `loading the files takes more than ${maxSeconds} seconds: ${LOOP}` };
  }
  const [, line, column, problem] = /^agent\.js:(\d+):(\d+) (.*?):?$/m.exec(message) ?? [];
  if (problem === undefined) return { message };
  return { ...find(positions, Number(line), Number(column)), message: problem };
}
