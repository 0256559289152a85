import { Registry, SourceError, tool } from "../src/functions.js";
import { begin } from "../src/sandbox.js";
import { assert, test } from "#test";
import { call, registry } from "./support/agent.js";

/** @typedef {import("../index.d.ts").Conversation} Conversation */

test("a function is called in either spelling of its name", async () => {
  const functions = registry({
    startFunction: () => "started",
    book_table: (/** @type {Conversation} */ _, /** @type {any} */ { seats }) => seats,
  });
  assert.deepEqual(functions.names, ["start_function", "book_table"]);
  for (const name of ["start_function", "startFunction"]) {
    assert.equal((await call(functions, name)).value, '"started"');
  }
  for (const name of ["book_table", "bookTable"]) {
    assert.equal((await call(functions, name, '{"seats":4}')).value, "4");
  }
  assert.deepEqual((await call(functions, "cancel")).error, { tag: "unknown-function" });
});

test("an asynchronous function is awaited", async () => {
  begin();
  const functions = registry({
    async book(/** @type {Conversation} */ conv) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      conv.state.done = true;
      return { content: "Booked." };
    },
    thenable: () => ({ then: (/** @type {(value: number) => void} */ resolve) => resolve(5) }),
    async fails() {
      await null;
      throw new RangeError("no brie");
    },
  });
  const booked = await call(functions, "book");
  assert.equal(booked.value, '{"content":"Booked."}');
  assert.equal(booked.host.json("done"), "true");
  assert.equal((await call(functions, "thenable")).value, "5");
  const failed = (await call(functions, "fails")).error;
  assert.deepInclude(failed?.val, { name: "RangeError", message: "no brie" });
});

test("v4_arguments_and_values_keep_their_text", async () => {
  const functions = registry({ echo: (/** @type {Conversation} */ _, /** @type {any} */ { value }) => value });
  for (const text of ["1.0", "12345678901234567890", '{"a":[1.0,1]}', "null", '"1.0"']) {
    assert.equal((await call(functions, "echo", `{"value":${text}}`)).value, text);
  }
});

test("what a function returns is JSON, and nothing is null", async () => {
  const functions = registry({
    nothing() {},
    map: () => new Map(),
  });
  assert.equal((await call(functions, "nothing")).value, "null");
  const { error } = await call(functions, "map");
  assert.equal(error?.val.name, "TypeError");
  assert.equal(error?.val.message, "`map` (functions.js) returned a `Map`, for which JSON has no word");
});

test("an error has its name, its message and where it came from", async () => {
  class NoCheese extends Error {}
  const functions = registry({
    plain() {
      throw new Error("no brie");
    },
    own() {
      throw new NoCheese("no feta", { cause: new TypeError("empty shelf") });
    },
    text() {
      throw "no gouda";
    },
    object() {
      throw { code: 5 };
    },
  });
  const failure = async (/** @type {string} */ name) => (await call(functions, name)).error?.val;
  assert.deepInclude(await failure("plain"), { name: "Error", message: "no brie" });
  assert.match((await failure("plain")).trace, /^at plain \(.*functions\.test\.js:\d+:\d+\)/);
  const own = await failure("own");
  assert.deepInclude(own, { name: "NoCheese", message: "no feta" });
  assert.match(own.trace, /\ncaused by TypeError: empty shelf\nat /);
  assert.deepEqual(await failure("text"), { name: "string", message: "no gouda", trace: "" });
  assert.deepEqual(await failure("object"), { name: "Object", message: '{"code":5}', trace: "" });
});

test("w6_what_a_failing_function_did_stands", async () => {
  const functions = registry({
    book(/** @type {Conversation} */ conv) {
      conv.state.cheese_type = "brie";
      conv.state.cart.push("brie");
      conv.say("Booked.");
      throw new Error("no paper for the bill");
    },
  });
  const { host, error } = await call(functions, "book", "{}", { state: { cart: "[]" } });
  assert.equal(error?.tag, "failed");
  assert.equal(host.json("cheese_type"), '"brie"');
  assert.equal(host.json("cart"), '["brie"]');
  assert.deepEqual(host.said, ["Booked."]);
});

test("v2_a_change_in_place_that_is_refused_makes_the_function_fail", async () => {
  const functions = registry({
    book(/** @type {Conversation} */ conv) {
      conv.state.cart.push(["nested"]);
      conv.state.others.push(1);
      return "Booked.";
    },
    bookAndThrow(/** @type {Conversation} */ conv) {
      conv.state.cart.push(["nested"]);
      throw new Error("no brie");
    },
  });
  const given = { state: { cart: "[]", others: "[]" }, stateKeys: ["cart"] };
  const refused = await call(functions, "book", "{}", given);
  assert.deepInclude(refused.error?.val, { name: "NestedValueError" });
  assert.equal(refused.host.json("cart"), "[]");
  assert.equal(refused.host.json("others"), "[1]");
  const thrown = await call(functions, "book_and_throw", "{}", given);
  assert.deepInclude(thrown.error?.val, { name: "Error", message: "no brie" });
  assert.match(thrown.host.logged[0].content, /^NestedValueError: `cart` is remembered/);
});

test("arguments that do not fit are the caller's mistake", async () => {
  const parameters = { type: "object", properties: { seats: { type: "integer" } }, required: ["seats"] };
  const functions = registry({ book: () => 1 }, { book: { place: "functions.js:3", parameters } });
  for (const [args, problem] of [
    ["[]", "`book` (functions.js:3) cannot be called like that: it takes one object with its arguments by name"],
    ["{", "the arguments are no JSON"],
    ["{}", "`seats` is missing"],
    ['{"seats":"four"}', "`seats`: expected an integer, found a text"],
    ['{"seat":4}', "`seat` is no parameter: did you mean `seats`?"],
  ]) {
    const { error } = await call(functions, "book", args);
    assert.equal(error?.tag, "invalid-arguments");
    assert.include(error?.val, problem);
  }
});

test("functions call one another within the turn", async () => {
  const parameters = { type: "object", properties: { seats: { type: "integer" } }, required: ["seats"] };
  const functions = registry(
    {
      bookTable(/** @type {Conversation} */ conv, /** @type {any} */ { seats }) {
        conv.state.seats = seats;
        return `Booked ${seats}.`;
      },
      twice: (/** @type {Conversation} */ conv) => [
        conv.functions.bookTable({ seats: 2 }),
        conv.functions.book_table({ seats: 3 }),
        "bookTable" in conv.functions,
        Object.keys(conv.functions),
      ],
      misspelt: (/** @type {Conversation} */ conv) => conv.functions.bokTable({ seats: 2 }),
      wrong: (/** @type {Conversation} */ conv) => conv.functions.bookTable({ seats: "two" }),
      positional: (/** @type {Conversation} */ conv) => conv.functions.bookTable(/** @type {any} */ (2)),
    },
    { bookTable: { place: "functions.js:3", parameters } },
  );
  const { value, host } = await call(functions, "twice");
  const names = ["book_table", "twice", "misspelt", "wrong", "positional"];
  assert.deepEqual(JSON.parse(value ?? ""), ["Booked 2.", "Booked 3.", true, names]);
  assert.equal(host.json("seats"), "3");
  const failures = [
    ["misspelt", "TypeError", "there is no function `bokTable`: did you mean `book_table`?"],
    ["wrong", "ArgumentsError", "`seats`: expected an integer, found a text"],
    ["positional", "ArgumentsError", "it takes one object with its arguments by name"],
  ];
  for (const [name, kind, message] of failures) {
    const { error } = await call(functions, name);
    assert.equal(error?.tag, "failed");
    assert.equal(error?.val.name, kind);
    assert.include(error?.val.message, message);
  }
});

test("a flow's functions are given the flow, and share names with others only under its name", async () => {
  const book = (/** @type {any} */ _, /** @type {any} */ flow, /** @type {any} */ { n = 0 }) => `${flow.name} ${n}`;
  const functions = new Registry([
    { file: "src/functions/cancel.js", only: "cancel", exports: { cancel: () => "shared" }, declared: {} },
    {
      file: "src/flows/payment/functions/confirm.js",
      flow: "payment",
      only: "confirm",
      exports: {
        confirm(/** @type {any} */ conv, /** @type {any} */ flow, /** @type {any} */ _) {
          flow.gotoStep("done", { reason: "paid" });
          return [flow.name, flow.currentStep, flow.functions.book({ n: 1 }), conv.functions.cancel()];
        },
      },
      declared: {},
    },
    {
      file: "src/flows/payment/functions/book.js",
      flow: "payment",
      only: "book",
      exports: { default: book },
      declared: {},
    },
    { file: "src/flows/table/functions/book.js", flow: "table", only: "book", exports: { book }, declared: {} },
    {
      file: "src/flows/table/functions/stray.js",
      flow: "table",
      only: "stray",
      exports: { stray: (/** @type {any} */ conv) => conv.functions.confirm() },
      declared: {},
    },
  ]);
  assert.deepEqual(functions.names, ["cancel", "confirm", "payment.book", "table.book", "stray"]);
  assert.deepEqual(
    functions.describe().map(({ annotations }) => annotations),
    [undefined, '{"flow":"payment"}', '{"flow":"payment"}', '{"flow":"table"}', '{"flow":"table"}'],
  );
  const { value, host } = await call(functions, "confirm", "{}", { attributes: { currentStep: "amount" } });
  assert.deepEqual(JSON.parse(value ?? ""), ["payment", "amount", "payment 1", "shared"]);
  assert.deepEqual(host.acted, [["goto_step", { name: "done", reason: "paid" }]]);
  assert.equal((await call(functions, "table.book", '{"n":2}')).value, '"table 2"');
  const { error } = await call(functions, "stray");
  assert.include(error?.val.message, "call it as `flow.functions.confirm`");
});

test("a tool says what it is", () => {
  const parameters = { type: "object", properties: {} };
  const described = tool(
    { description: "Books.", parameters, latencyControl: { delayResponses: [["One moment.", 2]] } },
    (/** @type {Conversation} */ _) => 1,
  );
  const declared = {
    book: { place: "functions.js:1", description: "from the source", parameters: { type: "object" } },
    cancel: { place: "functions.js:2", description: "Cancels.", parameters },
  };
  const functions = registry({ book: described, cancel: () => 1, unknown: () => 1 }, declared);
  assert.deepEqual(functions.describe(), [
    {
      name: "book",
      description: "Books.",
      parameters: '{"type":"object","properties":{}}',
      annotations:
        '{"latency_control":{"delay_before_responses_start":0,"silence_after_each_response":0,"delay_responses":[["One moment.",2]]}}',
    },
    {
      name: "cancel",
      description: "Cancels.",
      parameters: '{"type":"object","properties":{}}',
      annotations: undefined,
    },
    {
      name: "unknown",
      description: "",
      parameters: '{"type":"object","additionalProperties":true}',
      annotations: undefined,
    },
  ]);
  assert.throws(() => tool({ parameters: { type: "string" } }, () => 1), TypeError, 'of the type "object"');
  assert.throws(() => tool({}, /** @type {any} */ ("book")), TypeError, "a function");
});

test("helpers, classes and values are no functions of the agent", () => {
  class Cart {}
  const declared = { format: { place: "functions.js:1", isHelper: true } };
  assert.deepEqual(registry({ Cart, format: () => 1, PRICE: 5, book: () => 1 }, declared).names, ["book"]);
});

test("sources without a function or with two of one name are refused with the place", () => {
  const refused = (/** @type {() => unknown} */ make, /** @type {string} */ message, /** @type {string} */ place) => {
    try {
      make();
      assert.fail("it was not refused");
    } catch (error) {
      assert.instanceOf(error, SourceError);
      assert.include(/** @type {SourceError} */ (error).message, message);
      assert.equal(/** @type {SourceError} */ (error).place, place);
    }
  };
  refused(() => registry({ PRICE: 5 }), "no function is exported", "functions.js");
  const declared = { bookTable: { place: "functions.js:1" }, book_table: { place: "functions.js:5" } };
  const two = { bookTable: () => 1, book_table: () => 2 };
  refused(() => registry(two, declared), "`book_table` is a function at functions.js:1 already", "functions.js:5");
  const files = [{ file: "src/functions/book.js", only: "book", exports: { helper: () => 1 }, declared: {} }];
  refused(() => new Registry(files), "no function `book` is exported", "src/functions/book.js");
});
