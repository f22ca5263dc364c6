// What this project relies on in @std/assert and @std/cli. `deno task test` holds the offline stand-ins to
// it, `deno task test:real` the real packages, so that the two cannot drift apart.

import {
  assertAlmostEquals,
  assertEquals,
  assertInstanceOf,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { ProgressBar } from "@std/cli/unstable-progress-bar";

Deno.test("assertEquals() compares deeply; NaN equals NaN and 0 equals -0", () => {
  assertEquals({ a: [1, NaN, 0] }, { a: [1, NaN, -0] });
  assertEquals(new Float32Array([1, 2]), new Float32Array([1, 2]));
  assertEquals(new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]]));
  assertNotEquals<unknown>([1, 2], new Float32Array([1, 2]));
  assertNotEquals<unknown>({ a: undefined }, {});
  assertThrows(() => assertEquals([1, 2], [1, 3]), AssertionError, "Values are not equal");
});

Deno.test("assertAlmostEquals() tolerates 1e-7 of the expected value unless told otherwise", () => {
  assertAlmostEquals(1e6 + 0.05, 1e6);
  assertThrows(() => assertAlmostEquals(1 + 1e-6, 1), AssertionError);
  assertAlmostEquals(1.5, 1, 0.5);
  assertAlmostEquals(Infinity, Infinity);
});

Deno.test("assertThrows() returns the error and checks its class and message", () => {
  const fail = () => {
    throw new RangeError("Cannot do this");
  };
  const error: RangeError = assertThrows(fail, RangeError, "Cannot");
  assertInstanceOf(error, RangeError);
  assertThrows(() => assertThrows(fail, TypeError), AssertionError);
  assertThrows(() => assertThrows(fail, RangeError, "Could"), AssertionError);
  assertThrows(() => assertThrows(() => {}), AssertionError);
});

Deno.test("assertRejects() wants a rejection, not an exception", async () => {
  await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, "no");
  await assertRejects(
    () =>
      assertRejects(() => {
        throw new TypeError("no");
      }),
    AssertionError,
  );
});

Deno.test("assertObjectMatch() asks only for what is expected", () => {
  assertObjectMatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } });
  assertThrows(() => assertObjectMatch({ a: 1 }, { a: 2 }), AssertionError);
});

Deno.test("parseArgs() reads strings, booleans, lists, defaults, aliases and negations", () => {
  const args = parseArgs(
    ["--policy", "float32", "--policy=7", "-j", "--no-color", "--size", "8", "rest", "--", "-x"],
    {
      string: ["policy"],
      boolean: ["json", "color"],
      collect: ["policy"],
      alias: { json: "j" },
      negatable: ["color"],
      default: { backend: "webgpu" },
    },
  );
  assertEquals(args.policy, ["float32", "7"]);
  assertEquals(args.json, true);
  assertEquals(args.color, false);
  assertEquals(args.size, 8);
  assertEquals(args.backend, "webgpu");
  assertEquals(args._, ["rest", "-x"]);
});

Deno.test("parseArgs() shows every unknown argument to its hook", () => {
  const unknown: string[] = [];
  const args = parseArgs(["--polcy", "a", "-z", "word", "--json"], {
    boolean: ["json"],
    unknown: (argument) => {
      unknown.push(argument);
      return false;
    },
  });
  assertEquals(unknown, ["--polcy", "-z"]);
  assertEquals(args._, []);
  assertEquals(args.json, true);
});

Deno.test("unicodeWidth() counts columns", () => {
  assertEquals(unicodeWidth("ab"), 2);
  assertEquals(unicodeWidth("数字"), 4);
  assertEquals(unicodeWidth("e\u0301"), 1);
});

Deno.test("ProgressBar draws its line on the stream that it is given", async () => {
  const written: string[] = [];
  const writable = new WritableStream<Uint8Array>({
    write: (chunk) => void written.push(new TextDecoder().decode(chunk)),
  });
  const bar = new ProgressBar({
    writable,
    max: 4,
    barLength: 8,
    formatter: ({ progressBar, value, max }) => `${progressBar} ${value} of ${max}`,
  });
  bar.value = 2;
  await bar.stop();
  assertMatch(written.join(""), /#{4}-{4} 2 of 4/);
});
