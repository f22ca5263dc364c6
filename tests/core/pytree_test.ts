// Pytrees: what is a node, the laws of taking apart and putting together, and errors with paths.
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  flatten,
  flattenLike,
  flattenUpTo,
  leaves,
  map,
  registerNode,
  structure,
  unflatten,
} from "../../src/core/pytree.ts";
import { runInNewContext } from "node:vm";
import tables from "../data/core_tables.json" with { type: "json" };

class Leaf {
  constructor(readonly name: string) {}
  rename(name: string): Leaf {
    return new Leaf(name);
  }
}

class Pair {
  constructor(readonly left: unknown, readonly right: unknown, readonly tag: unknown = null) {}
}
registerNode(Pair, {
  flatten: (pair) => [[pair.left, pair.right], pair.tag] as const,
  unflatten: (tag, [left, right]) => new Pair(left, right, tag),
  names: ["left", "right"],
});

class Unregistered {
  field = 1;
}

const samples: readonly unknown[] = [
  1,
  null,
  undefined,
  [],
  {},
  [1, [2, [3]]],
  { b: 1, a: { d: null, c: [undefined, "text"] } },
  new Pair({ x: 1 }, [2, new Pair(3, null)], "tag"),
  [new Leaf("w"), { f: Math.sin }],
  { "": 1, "a b": 2, "10": 3, "9": 4 },
];

Deno.test("unflatten() undoes flatten(), and both agree on the structure", () => {
  for (const sample of samples) {
    const [parts, form] = flatten(sample);
    assertEquals(parts.length, form.numLeaves);
    const again = unflatten(form, parts as unknown[]);
    assertEquals(again, sample);
    assertEquals(leaves(again), parts);
    assert(structure(again).equals(form));
  }
});

Deno.test("map() of the identity gives an equal tree, and maps compose", () => {
  const double = (x: number) => 2 * x;
  const increment = (x: number) => x + 1;
  const tree = { w: [1, 2], b: { c: 3, d: null } };
  assertEquals(map((x) => x, tree), tree);
  assertEquals(map(increment, map(double, tree)), map((x) => increment(double(x)), tree));
});

Deno.test("every value that is no plain object, array or registered class is a leaf", () => {
  const tree = [0, "", false, 1n, Symbol.iterator, Math.sin, new Leaf("w"), new Unregistered()];
  assertEquals(leaves([...tree, new Map(), new Float32Array(2), new Date(0)]).length, 11);
  assertEquals(leaves(tree as unknown), tree);
});

Deno.test("null and undefined have no leaves and come back as they were", () => {
  assertEquals(leaves({ a: null, b: undefined, c: 1 }), [1]);
  const mapped = map((x) => x + 1, { a: null, b: undefined, c: 1 });
  assertEquals(mapped, { a: null, b: undefined, c: 2 });
  assertStrictEquals(mapped.a, null);
});

Deno.test("objects without a prototype and from other realms are nodes", () => {
  assertEquals(leaves(Object.assign(Object.create(null), { b: 2, a: 1 })), [1, 2]);
  const foreign = runInNewContext("({ b: 2, a: [1] })");
  assertEquals(leaves(foreign), [1, 2]);
});

Deno.test("keys are taken in the order in which JAX sorts them", () => {
  const tree = Object.fromEntries(tables.keyOrder.keys.map((key) => [key, key]));
  assertEquals(leaves(tree), tables.keyOrder.sorted);
});

Deno.test("many keys in disorder are sorted too", () => {
  const keys = Array.from({ length: 50 }, (_, i) => `k${(i * 37) % 50}`);
  const tree = Object.fromEntries(keys.map((key) => [key, key]));
  assertEquals(leaves(tree), [...keys].sort());
});

Deno.test("flattenLike() gives the leaves of a tree of that structure and nothing for another", () => {
  for (const [i, like] of samples.entries()) {
    const form = structure(like);
    for (const [j, sample] of samples.entries()) {
      assertEquals(flattenLike(form, sample), i === j ? leaves(sample) : undefined);
    }
  }
  const form = structure({ a: 1, b: [2] });
  assertEquals(flattenLike(form, { b: [20], a: 10 }), [10, 20]);
  assertEquals(flattenLike(form, { a: 1, b: [2], c: 3 }), undefined);
  assertEquals(flattenLike(form, { a: 1, c: [2] }), undefined);
  // A key that every object inherits must not count as its own.
  assertEquals(flattenLike(structure({ toString: 1 }), { other: 1 }), undefined);
  const tagged = structure(new Pair(1, 2, { axis: [0] }));
  assertEquals(flattenLike(tagged, new Pair(3, 4, { axis: [0] })), [3, 4]);
  assertEquals(flattenLike(tagged, new Pair(3, 4, { axis: [1] })), undefined);
});

Deno.test("map() over several trees passes what each has at the same place", () => {
  const tree = { w: 1, b: [2, 3] };
  assertEquals(map((x, y, z) => x + y + z, tree, tree, { b: [10, 20], w: 30 }), {
    w: 32,
    b: [14, 26],
  });
  const seen: unknown[] = [];
  map((_leaf: unknown, other: unknown) => seen.push(other), [1, 2] as unknown, [{ a: 1 }, [2]]);
  assertEquals(seen, [{ a: 1 }, [2]]);
});

Deno.test("trees that do not match are an error that names the path and what differs", () => {
  const tree = { block0: { kernel: [1, 2], bias: null } };
  const cases: [unknown, string][] = [
    [{ block0: { kernel: [1, 2] } }, 'key "bias" is missing from one of them at tree.block0'],
    [{ block0: { kernel: [1], bias: null } }, "at tree.block0.kernel"],
    [{ block0: { kernel: 5, bias: null } }, "got an array of 2 and 5 at tree.block0.kernel"],
    [{ block0: { kernel: [1, 2], bias: 1 } }, "got null and 1 at tree.block0.bias"],
    [
      { block0: { kernel: [1, 2], bias: null, scale: 1 } },
      'key "scale" is in only one of them at tree.block0',
    ],
    [[1], "got an object and [1] at tree"],
  ];
  for (const [other, words] of cases) {
    assertThrows(() => map((x) => x, tree, other), RangeError, words);
  }
  const pairs = structure([new Pair(1, 2, "a")]);
  assertThrows(() => flattenUpTo("map", pairs, [new Pair(1, 2, "b")]), RangeError, "auxiliary");
  assertThrows(() => flattenUpTo("map", pairs, [[1, 2]], "args"), RangeError, "at args[0]");
});

Deno.test("a tree that contains itself is an error that says where", () => {
  const tree: Record<string, unknown> = { a: 1 };
  tree.z = { list: [0, tree] };
  assertThrows(
    () => leaves(tree),
    RangeError,
    "Cannot flatten: a tree must not contain itself, got a cycle at tree.z.list[1]",
  );
  const pair: unknown[] = [];
  pair.push(new Pair(0, pair));
  assertThrows(() => structure(pair), RangeError, "at tree[0].right");
});

Deno.test("a tree that is merely deep is refused before the stack ends", () => {
  const nested = (levels: number): unknown => levels === 0 ? 1 : [nested(levels - 1)];
  assertEquals(leaves(nested(900)), [1]);
  assertThrows(() => leaves(nested(1500)), RangeError, "deeper than 1000 levels");
});

Deno.test("the same object in two places is no cycle", () => {
  const shared = { w: 1 };
  assertEquals(leaves([shared, shared]), [1, 1]);
});

Deno.test("a key named __proto__ is a key like any other", () => {
  // Deno has no such accessor; other runtimes do, and an assignment would then go to it.
  Object.defineProperty(Object.prototype, "__proto__", {
    configurable: true,
    set(value: object) {
      Reflect.setPrototypeOf(this, value);
    },
  });
  try {
    const tree: unknown = JSON.parse('{"__proto__": {"inherited": 1}, "a": 2}');
    const again = map((x: number) => x + 1, tree) as object;
    assertEquals(Object.keys(again), ["__proto__", "a"]);
    assertStrictEquals(Reflect.getPrototypeOf(again), Object.prototype);
  } finally {
    Reflect.deleteProperty(Object.prototype, "__proto__");
  }
});

Deno.test("unflatten() refuses another number of leaves and what is no structure", () => {
  assertThrows(() => unflatten(structure([1, 2]), [1]), RangeError, "requires 2 leaves, got 1");
  assertThrows(() => unflatten({} as never, [1]), TypeError, "a tree structure is required");
  assertThrows(() => unflatten(structure([]), "" as never), TypeError, "must be an array");
  assertThrows(() => map(1 as never, [1]), TypeError, "a function is required");
});

Deno.test("types of leaves and of mapped trees follow the tree's type", () => {
  interface Params {
    w: Leaf;
    layers: [Leaf, { b?: Leaf }];
    none: null;
  }
  const params: Params = { w: new Leaf("w"), layers: [new Leaf("0"), {}], none: null };
  const renamed: Params = map((leaf) => leaf.rename("new"), params);
  const names: { w: string; layers: [string, { b?: string }]; none: null } = map(
    (leaf) => leaf.name,
    params,
  );
  const all: Leaf[] = leaves(params);
  type Nested = Leaf | { [key: string]: Nested };
  const nested: Nested = { a: { b: new Leaf("b") } };
  const nestedLeaves: Leaf[] = leaves(nested as Nested);
  assertEquals([renamed.w.name, names.layers[0], all.length, nestedLeaves.length], [
    "new",
    "0",
    2,
    1,
  ]);
});
