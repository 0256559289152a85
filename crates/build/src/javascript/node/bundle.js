// Makes one script of all that an agent consists of.

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { builtinModules } from "node:module";
import { isAbsolute, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

import { declare } from "./declare.js";
import { positionsOf } from "./positions.js";
import { Problems, shown } from "./problems.js";

/**
 * A file of functions.
 *
 * @typedef {object} Source
 * @property {string} path its absolute path
 * @property {string} [flow] the flow that its functions belong to
 * @property {string} [only] the name of its only function
 */

/** @typedef {import("./problems.js").Problem} Problem */

/** What comes with the command. */
const OWN = fileURLToPath(new URL("..", import.meta.url));

/** The SDK. A project's own copy is for its editor. */
const SDK = fileURLToPath(new URL("sdk/", import.meta.url));

/** The key under which the SDK looks for what is known of the sources. */
const BUILT = 'Symbol.for("agent-memory.built")';

/** The contract's interfaces, which the component imports. */
const CONTRACT = /^agent:memory\//;

/** The namespace of the script that ties everything together. */
const ENTRY = "agent-memory-entry";

/** Files that are texts. */
const TEXT = /\.(?:[cm]?[jt]sx?|json|txt)$/;

/** What esbuild calls an import of a file that is known only when it runs. The engine would end the turn for it. */
const UNKNOWN_IMPORT = "unsupported-dynamic-import";

/** How many mistakes are told at once. */
const MAX_PROBLEMS = 10;

/**
 * @param {string} root the project's folder
 * @param {Source[]} sources
 * @param {string} name the script's name in stacks
 * @param {number} maxBytes how large all files together may be
 * @throws {Problems}
 */
export async function bundle(root, sources, name, maxBytes) {
  const reader = new Reader(root, maxBytes);
  const result = await esbuild
    .build({
      absWorkingDir: root,
      bundle: true,
      charset: "utf8",
      conditions: ["agent-memory", "module"],
      entryPoints: [{ in: ENTRY, out: "agent" }],
      format: "esm",
      legalComments: "none",
      logLevel: "silent",
      logOverride: { [UNKNOWN_IMPORT]: "warning" },
      metafile: true,
      outdir: root,
      platform: "browser",
      plugins: [plugin(root, sources, reader)],
      sourcemap: "external",
      sourcesContent: false,
      target: "es2024",
      write: false,
    })
    .catch((error) => {
      throw reader.failed() ?? ("errors" in error ? new Problems(told(root, error.errors)) : error);
    });
  // In a package, it may be a way that is never taken.
  const isWrong = (/** @type {esbuild.Message} */ { id, location }) =>
    id === UNKNOWN_IMPORT && authors(root, join(root, location?.file ?? "")) !== undefined;
  const wrong = result.warnings.filter(isWrong);
  if (wrong.length > 0) throw new Problems(told(root, wrong));
  const [code, sourceMap] = [".js", ".js.map"].map((ending) => {
    const file = result.outputFiles.find(({ path }) => path.endsWith(ending));
    return file?.text ?? "";
  });
  const positions = positionsOf(name, sourceMap, root, (path) => authors(root, path));
  const declared = declare(root, sources, SDK);
  return {
    code: `globalThis[${BUILT}]=${JSON.stringify({ positions, declared })};\n${code}`,
    positions,
    inputs: reader.inputs,
    remarks: [...told(root, result.warnings), ...(await circles(root, result.metafile))],
  };
}

/** Reads files, once each, and remembers what was in them. */
class Reader {
  /** The files that were read: their paths, and the SHA-256 of their content. */
  inputs = /** @type {{ path: string, sha256: string }[]} */ ([]);
  problems = /** @type {Problem[]} */ ([]);
  #root;
  #left;
  #sizes = /** @type {[number, string][]} */ ([]);

  /**
   * @param {string} root
   * @param {number} maxBytes
   */
  constructor(root, maxBytes) {
    this.#root = root;
    this.#left = maxBytes;
    this.maxBytes = maxBytes;
  }

  /**
   * What is in a file. None if it cannot be used, which is among the problems.
   *
   * @param {string} path
   */
  async read(path) {
    const file = shown(this.#root, path);
    const { size } = await stat(path);
    this.#left -= size;
    this.#sizes.push([size, file]);
    if (this.#left < 0) return undefined;
    const bytes = await readFile(path);
    this.inputs.push({ path, sha256: createHash("sha256").update(bytes).digest("hex") });
    if (!TEXT.test(path) || isUtf8(bytes)) return bytes;
    const message = "this line is no UTF-8: save the file as UTF-8";
    this.problems.push({ file, line: firstBadLine(bytes), message });
    return undefined;
  }

  /** What is wrong with the files themselves. */
  failed() {
    if (this.#left < 0) {
      const largest = this.#sizes.sort(([one], [other]) => other - one).slice(0, 3);
      const files = largest.map(([size, file]) => `${file} (${megabytes(size)})`).join(", ");
      const message = `the files that are imported have more than ${megabytes(this.maxBytes)}`;
      const advice = `which no sandbox has room for: import less. The largest are ${files}`;
      return new Problems([{ message: `${message}, ${advice}` }]);
    }
    return this.problems.length > 0 ? new Problems(this.problems) : undefined;
  }
}

/**
 * Has esbuild find the SDK, the contract and our own script, and read files by us.
 *
 * @param {string} root
 * @param {Source[]} sources
 * @param {Reader} reader
 * @returns {esbuild.Plugin}
 */
function plugin(root, sources, reader) {
  return {
    name: "agent-memory",
    setup(build) {
      build.onResolve({ filter: CONTRACT }, ({ path }) => ({ path, external: true }));
      build.onResolve({ filter: /^agent-memory-entry$/ }, ({ path }) => ({ path, namespace: ENTRY }));
      build.onResolve({ filter: /^agent-memory$/ }, () => ({ path: join(SDK, "src/index.js") }));
      build.onResolve({ filter: /^agent-memory\/component$/ }, ({ importer }) =>
        importer === ENTRY ? { path: join(SDK, "src/component.js") } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: ENTRY }, () => ({ contents: entry(root, sources), resolveDir: root }));
      build.onLoad({ filter: /.*/, namespace: "file" }, async ({ path }) => {
        if (path.startsWith(OWN)) return undefined;
        const contents = await reader.read(path);
        return contents === undefined ? { errors: [{ text: "unreadable" }] } : { contents, loader: "default" };
      });
    },
  };
}

/**
 * The script that loads the functions and exports what the contract wants.
 *
 * @param {string} root
 * @param {Source[]} sources
 */
function entry(root, sources) {
  const files = sources.map(({ path, flow, only }) => {
    const source = JSON.stringify({ file: shown(root, path), flow, only });
    return `{ ...${source}, load: () => import(${JSON.stringify(path)}) }`;
  });
  return [
    'import { agent } from "agent-memory/component";',
    ...["memory", "state", "conversation"].map((part) => `import * as ${part} from "agent:memory/${part}@0.1.0";`),
    `export const functions = await agent({ memory, state, conversation }, [${files.join(", ")}]);`,
  ].join("\n");
}

/**
 * What esbuild says, in our words where they are clearer.
 *
 * @param {string} root
 * @param {esbuild.Message[]} messages
 * @returns {Problem[]}
 */
function told(root, messages) {
  return messages.slice(0, MAX_PROBLEMS).map(({ id, text, location, notes }) => {
    const place = location && {
      file: shown(root, isAbsolute(location.file) ? location.file : join(root, location.file)),
      line: location.line,
      column: location.column + 1,
      text: location.lineText,
    };
    if (id === UNKNOWN_IMPORT) return { ...place, message: "what is imported has to be named by a plain text" };
    const [, missing] = /^Could not resolve "(.*)"$/.exec(text) ?? [];
    const hint = notes.length > 0 && notes[0].location === null ? `: ${notes[0].text}` : "";
    return { ...place, message: missing === undefined ? text + hint : unresolved(root, missing) };
  });
}

/**
 * What to do about an import that leads nowhere.
 *
 * @param {string} root
 * @param {string} path
 */
function unresolved(root, path) {
  if (path.startsWith(".") || isAbsolute(path)) return `there is no file \`${path}\` to import`;
  const [first, second] = path.replace(/^node:/, "").split("/");
  if (path.startsWith("node:") || builtinModules.includes(first)) {
    return `\`${path}\` is a part of Node.js, and functions have no files, no network and no processes: do without it`;
  }
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  return `there is no package \`${name}\` to import: type \`npm install ${name}\` in ${root}`;
}

/**
 * The author's files that import one another in a circle. It works as long as none of them needs, while it is loaded, what
 * another has yet to define.
 *
 * @param {string} root
 * @param {esbuild.Metafile} metafile
 * @returns {Promise<Problem[]>}
 */
async function circles(root, { inputs }) {
  /** @type {string[][]} */
  const found = [];
  const done = new Set();
  const imports = (/** @type {string} */ file) =>
    (inputs[file]?.imports ?? [])
      .filter(({ kind, path }) => kind === "import-statement" && authors(root, join(root, path)) !== undefined)
      .map(({ path }) => path)
      .sort();
  const visit = (/** @type {string} */ file, /** @type {string[]} */ way) => {
    const start = way.indexOf(file);
    if (start >= 0) {
      found.push([...way.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    for (const next of imports(file)) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of Object.keys(inputs).sort()) {
    if (authors(root, join(root, file)) !== undefined) visit(file, []);
  }
  const message = "these files import one another in a circle";
  const danger = "so that what one needs of another while it is loaded may be missing";
  const remarks = found.map(async (circle) => {
    const [file, next] = circle;
    const { original } = inputs[file].imports.find(({ path }) => path === next) ?? {};
    const line = original === undefined ? undefined : lineOfImport(await readFile(join(root, file), "utf8"), original);
    return { file, line, message: `${message}, ${danger}: ${circle.join(" → ")}` };
  });
  return Promise.all(remarks);
}

/**
 * The line of a script in which the import of a file ends. None if it is written in some other way than usual.
 *
 * @param {string} script
 * @param {string} file as the script calls it
 */
function lineOfImport(script, file) {
  const isImport = (/** @type {string} */ line) =>
    !/^\s*(?:\/[/*]|\*)/.test(line) && /\b(?:from|import)\s*(["'])(.*?)\1/.exec(line)?.[2] === file;
  const index = script.split("\n").findIndex(isImport);
  return index < 0 ? undefined : index + 1;
}

/**
 * The name of a file of the author's, in messages. None for a package's file and for the SDK's.
 *
 * @param {string} root
 * @param {string} path
 */
function authors(root, path) {
  if (path.startsWith(OWN) || path.includes(`${sep}node_modules${sep}`) || path.includes(`${ENTRY}:`)) return undefined;
  return shown(root, path);
}

/** @param {Uint8Array} bytes */
function firstBadLine(bytes) {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end + 1;
    if (!isUtf8(bytes.subarray(start, stop))) break;
    start = stop;
  }
  return line;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
