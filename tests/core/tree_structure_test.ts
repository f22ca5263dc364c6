// The structure of a pytree: its key, its text, paths, and registered classes.
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  flattenWithPath,
  leaves,
  leavesWithPath,
  registerNode,
  structure,
} from "../../src/core/pytree.ts";

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

Deno.test("the structure does not depend on the order in which keys were set", () => {
  const a = structure({ x: 1, y: [2], z: null });
  const b = structure({ z: null, y: [{}.constructor], x: "other" });
  assert(a.equals(b));
  assertEquals(a.key, b.key);
});

Deno.test("structures differ in keys, kinds, lengths, classes and auxiliary data", () => {
  class Twin extends Pair {}
  registerNode(Twin, {
    flatten: (pair) => [[pair.left, pair.right], pair.tag] as const,
    unflatten: (tag, [left, right]) => new Twin(left, right, tag),
  });
  const different: unknown[] = [
    1,
    null,
    undefined,
    [],
    {},
    [1],
    [[1]],
    [1, 2],
    [null, 1],
    { a: 1 },
    { b: 1 },
    { a: [1] },
    { "a:*": 1 },
    { "a*b": 1 },
    { "a*1:b": 1 },
    { a: 1, b: 2 },
    { a: { b: 1 } },
    { a: {}, b: 1 },
    new Pair(1, 2),
    new Pair(1, 2, 1),
    new Pair(1, 2, "1"),
    new Pair(1, 2, -0),
    new Pair(1, 2, 0),
    new Pair(1, 2, [1]),
    new Pair(1, 2, { a: 1 }),
    new Pair(1, [2]),
    new Twin(1, 2),
  ];
  const keys = different.map((tree) => structure(tree).key);
  assertEquals(new Set(keys).size, different.length);
  assertFalse(structure({ a: 1 }).equals(structure({ b: 1 })));
});

Deno.test("auxiliary data compares by value if it is plain and by identity if not", () => {
  const keyOf = (tag: unknown) => structure(new Pair(1, 2, tag)).key;
  assertEquals(keyOf({ a: [1, NaN], b: "x" }), keyOf({ b: "x", a: [1, NaN] }));
  const tag = new Leaf("tag");
  assertEquals(keyOf(tag), keyOf(tag));
  assert(keyOf(tag) !== keyOf(new Leaf("tag")));
  assertEquals(keyOf(Math.sin), keyOf(Math.sin));
  assert(keyOf(Math.sin) !== keyOf(Math.cos));
  assert(keyOf(Symbol("s")) !== keyOf(Symbol("s")));
  const cyclic: unknown[] = [];
  cyclic.push(cyclic, cyclic);
  assertEquals(keyOf(cyclic), keyOf(cyclic));
});

Deno.test("a structure prints as its tree, with stars for leaves", () => {
  const tree = { w: [1, null], "a b": new Pair(1, {}), c: undefined };
  assertEquals(String(structure(tree)), '{ "a b": Pair(*, {}), c: undefined, w: [*, null] }');
});

Deno.test("paths name keys, indices and the children of classes", () => {
  const tree = {
    params: { block0: { attn: { kernel: 1 } }, "odd key": 2 },
    layers: [{ kernel: 3 }, new Pair(4, [5])],
  };
  assertEquals(leavesWithPath(tree), [
    { path: "layers[0].kernel", leaf: 3 },
    { path: "layers[1].left", leaf: 4 },
    { path: "layers[1].right[0]", leaf: 5 },
    { path: "params.block0.attn.kernel", leaf: 1 },
    { path: 'params["odd key"]', leaf: 2 },
  ]);
  const [parts, form] = flattenWithPath([7, { w: 8 }], "args");
  assertEquals(parts.map(({ path }) => path), ["args[0]", "args[1].w"]);
  assertEquals(form.paths("args"), ["args[0]", "args[1].w"]);
  assertEquals(leavesWithPath(7, "x"), [{ path: "x", leaf: 7 }]);
});

Deno.test("registerNode() takes a class once, and classes with private constructors", () => {
  class Hidden {
    readonly value: unknown;
    private constructor(value: unknown) {
      this.value = value;
    }
    static of(value: unknown): Hidden {
      return new Hidden(value);
    }
  }
  assertEquals(leaves(Hidden.of(1)).length, 1);
  registerNode(Hidden, {
    flatten: (hidden) => [[hidden.value], undefined] as const,
    unflatten: (_aux, [value]) => Hidden.of(value),
  });
  // Instances were leaves before: that must not be remembered.
  assertEquals(leaves(Hidden.of([1, 2]) as unknown), [1, 2]);
  const again = { flatten: () => [[], null] as const, unflatten: () => Hidden.of(0) };
  assertThrows(() => registerNode(Hidden, again), TypeError, "class Hidden is a node already");
  assertThrows(() => registerNode(Object, again), TypeError, "is a node already");
  assertThrows(() => registerNode(Array as never, again), TypeError, "is a node already");
  assertThrows(() => registerNode((() => 1) as never, again), TypeError, "a class is required");
  assertThrows(() => registerNode(Leaf, {} as never), TypeError, "must be functions");
});

Deno.test("a handler that returns no children says whose it is", () => {
  class Broken {}
  registerNode(Broken, { flatten: () => 5 as never, unflatten: () => new Broken() });
  assertThrows(() => leaves(new Broken()), TypeError, "Cannot flatten Broken");
});
