// What the sources say of their functions: names, comments, and the types of their parameters.

import { join } from "node:path";

import ts from "typescript";

import { Problems, shown } from "./problems.js";
import { NoJson, objectOf, schemaOf } from "./schema.js";

/**
 * @typedef {import("../../../../../sdk/javascript/index.d.ts").JsonSchema} JsonSchema
 * @typedef {import("../../../../../sdk/javascript/src/built.js").Declared} Declared
 * @typedef {import("./bundle.js").Source} Source
 * @typedef {import("./problems.js").Problem} Problem
 */

/** What authors call the parameter that is the conversation. */
const CONVERSATION = /^_?conv(?:ersation)?$/;

/** What authors call the parameter that is the flow. */
const FLOW = /^_?flow$/;

/**
 * What each file declares of the functions that it exports.
 *
 * @param {string} root the project's folder
 * @param {Source[]} sources
 * @param {string} sdk the SDK's folder
 * @returns {Record<string, Record<string, Declared>>} by file, in the order of the source
 * @throws {Problems}
 */
export function declare(root, sources, sdk) {
  const program = ts.createProgram(
    sources.map(({ path }) => path),
    options(root, sdk),
  );
  const checker = program.getTypeChecker();
  /** @type {Problem[]} */
  const problems = [];
  /** @type {Record<string, Record<string, Declared>>} */
  const all = {};
  for (const { path } of sources) {
    const file = program.getSourceFile(path);
    const module = file && checker.getSymbolAtLocation(file);
    const exported = module === undefined ? [] : checker.getExportsOfModule(module);
    if (exported.length === 0 && file !== undefined) {
      const message = "nothing is exported: write a function, such as `export function startFunction(conv) {}`";
      problems.push({ file: shown(root, path), line: 1, message });
    }
    const reader = new Reader(root, checker, problems);
    const declared = exported.flatMap((symbol) => reader.read(symbol));
    declared.sort((one, other) => (one.file === other.file ? one.position - other.position : 0));
    all[shown(root, path)] = Object.fromEntries(declared.map(({ name, declared }) => [name, declared]));
  }
  if (problems.length > 0) throw new Problems(problems);
  return all;
}

/** Reads declarations of exported functions. */
class Reader {
  #root;
  #checker;
  #problems;

  /**
   * @param {string} root
   * @param {ts.TypeChecker} checker
   * @param {Problem[]} problems where problems are added
   */
  constructor(root, checker, problems) {
    this.#root = root;
    this.#checker = checker;
    this.#problems = problems;
  }

  /**
   * What is declared of an exported function. Nothing, if it is none or there is no telling.
   *
   * @param {ts.Symbol} exported
   * @returns {{ name: string, file: string, position: number, declared: Declared }[]}
   */
  read(exported) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(exported) : exported;
    const [declaration] = symbol.getDeclarations() ?? [];
    if (declaration === undefined) return [];
    const [signature] = this.#checker.getTypeOfSymbol(symbol).getCallSignatures();
    if (signature === undefined) return [];

    const file = declaration.getSourceFile();
    const start = declaration.getStart();
    const { line } = file.getLineAndCharacterOfPosition(start);
    const place = `${shown(this.#root, file.fileName)}:${line + 1}`;
    const name = exported.getName();
    const description =
      words(signature.getDocumentationComment(this.#checker)) || words(symbol.getDocumentationComment(this.#checker));
    const [conversation, ...others] = signature.getParameters();
    const takesFlow = others.length > 0 && this.#isCalled(others[0], FLOW, "Flow");
    const [parameter, ...more] = takesFlow ? others.slice(1) : others;
    const isHelper = conversation !== undefined && !this.#isConversation(conversation);
    if (more.length > 0 && !isHelper) {
      const message = `\`${name}\` takes ${more.length + 1} arguments`;
      const advice = `it can only take one object with all of them, as in \`${name}(conv, { a, b })\``;
      this.#problem(file, start, `${message}: ${advice}`);
    }
    const parameters = isHelper ? undefined : this.#parameters(name, parameter, symbol);
    return [
      { name, file: file.fileName, position: start, declared: { description, parameters, takesFlow, isHelper, place } },
    ];
  }

  /**
   * The JSON Schema of a function's arguments. None if there is no telling.
   *
   * @param {string} name
   * @param {ts.Symbol | undefined} parameter
   * @param {ts.Symbol} symbol the function
   * @returns {JsonSchema | undefined}
   */
  #parameters(name, parameter, symbol) {
    if (parameter === undefined) return { type: "object", properties: {} };
    const declaration = parameter.valueDeclaration;
    const type = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(parameter));
    if (declaration === undefined || type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return undefined;
    try {
      if (!(type.flags & ts.TypeFlags.Object) && !type.isIntersection())
        throw new NoObject(schemaOf(this.#checker, type));
      const schema = objectOf(this.#checker, type);
      if (schema.type !== "object") throw new NoObject(schema);
      return this.#commented(schema, declaration, symbol);
    } catch (error) {
      if (!(error instanceof NoJson) && !(error instanceof NoObject)) throw error;
      const problem =
        error instanceof NoJson
          ? error.message
          : `it takes a value by itself, and arguments come as one object, as in \`${name}(conv, { a })\``;
      this.#problem(declaration.getSourceFile(), declaration.getStart(), `\`${name}\` cannot be called: ${problem}`);
      return undefined;
    }
  }

  /**
   * A schema with what `@param` and defaults say of the parameters.
   *
   * @param {JsonSchema} schema
   * @param {ts.Declaration} declaration
   * @param {ts.Symbol} symbol
   */
  #commented(schema, declaration, symbol) {
    const properties = /** @type {Record<string, JsonSchema>} */ (schema.properties ?? {});
    for (const { name, text } of symbol.getJsDocTags(this.#checker)) {
      const [, member, comment] = (name === "param" && /^[\w$]+\.([\w$]+)\s*-?\s*([^]*)$/.exec(words(text))) || [];
      if (member !== undefined && Object.hasOwn(properties, member)) properties[member].description ??= comment.trim();
    }
    const pattern =
      ts.isParameter(declaration) && ts.isObjectBindingPattern(declaration.name) ? declaration.name.elements : [];
    for (const { name, propertyName, initializer } of pattern) {
      const member = (propertyName ?? name).getText();
      const value = initializer && literal(initializer);
      if (value !== undefined && Object.hasOwn(properties, member)) properties[member].default = value;
    }
    for (const property of Object.values(properties)) if (property.description === "") delete property.description;
    return schema;
  }

  /** @param {ts.Symbol} parameter */
  #isConversation(parameter) {
    const declaration = parameter.valueDeclaration;
    const isPattern =
      declaration !== undefined && ts.isParameter(declaration) && ts.isObjectBindingPattern(declaration.name);
    return isPattern
      ? declaration.type === undefined || this.#isOf(parameter, "Conversation")
      : this.#isCalled(parameter, CONVERSATION, "Conversation");
  }

  /**
   * Whether a parameter has a name or a type of ours.
   *
   * @param {ts.Symbol} parameter
   * @param {RegExp} names
   * @param {string} type
   */
  #isCalled(parameter, names, type) {
    return names.test(parameter.getName()) || this.#isOf(parameter, type);
  }

  /**
   * @param {ts.Symbol} parameter
   * @param {string} name
   */
  #isOf(parameter, name) {
    const type = this.#checker.getTypeOfSymbol(parameter);
    return (type.aliasSymbol ?? type.getSymbol())?.getName() === name;
  }

  /**
   * @param {ts.SourceFile} file
   * @param {number} position
   * @param {string} message
   */
  #problem(file, position, message) {
    const { line, character } = file.getLineAndCharacterOfPosition(position);
    const text = file.text.split(/\r?\n/)[line];
    this.#problems.push({
      file: shown(this.#root, file.fileName),
      line: line + 1,
      column: character + 1,
      text,
      message,
    });
  }
}

/** A parameter is no object, and so cannot hold arguments. */
class NoObject extends Error {
  /** @param {JsonSchema} schema */
  constructor(schema) {
    super(`${schema.type}`);
  }
}

/**
 * How types are read: as the project says, for what has to be found.
 *
 * @param {string} root
 * @param {string} sdk
 * @returns {ts.CompilerOptions}
 */
function options(root, sdk) {
  const path = join(root, "tsconfig.json");
  const config = ts.sys.fileExists(path) ? ts.readConfigFile(path, ts.sys.readFile).config : undefined;
  const own =
    config === undefined
      ? {}
      : ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root).options;
  const { baseUrl, paths = {} } = own;
  return {
    allowJs: true,
    baseUrl,
    customConditions: ["agent-memory"],
    lib: ["lib.es2022.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noEmit: true,
    paths: { ...paths, "agent-memory": [join(sdk, "index.d.ts")] },
    skipLibCheck: true,
    strict: true,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
}

/** @param {ts.SymbolDisplayPart[] | undefined} parts */
function words(parts) {
  return ts.displayPartsToString(parts).trim();
}

/**
 * The value of an expression that is plain JSON.
 *
 * @param {ts.Expression} expression
 */
function literal(expression) {
  try {
    return JSON.parse(expression.getText().replace(/^'([^'"\\]*)'$/, '"$1"'));
  } catch {
    return undefined;
  }
}
