import { camelCase, nearest, snakeCase } from "../src/names.js";
import { assert, test } from "#test";

const SPELLINGS = [
  ["startFunction", "start_function"],
  ["book", "book"],
  ["bookTable2", "book_table2"],
  ["sendSms", "send_sms"],
];

test("a name has one spelling in the contract and one in JavaScript", () => {
  for (const [camel, snake] of SPELLINGS) {
    assert.equal(snakeCase(camel), snake);
    assert.equal(snakeCase(snake), snake);
    assert.equal(camelCase(snake), camel);
    assert.equal(camelCase(camel), camel);
  }
});

test("an abbreviation in capitals is one word", () => {
  assert.equal(snakeCase("getURLFor"), "get_url_for");
  assert.equal(snakeCase("parseJSON"), "parse_json");
});

test("the nearest name is suggested, and none that is far off", () => {
  const names = ["book_table", "cancel", "hand_over"];
  assert.equal(nearest("bookTabel", names), "book_table");
  assert.equal(nearest("cancle", names), "cancel");
  assert.isUndefined(nearest("refund", names));
});
