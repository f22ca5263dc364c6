// Reads which files import which, and finds what the layers forbid: upward imports, imports across two
// parts of one layer, and cycles. Pure functions of the files' text.

/** Where a part of the library stands: imports go down, or stay inside the part. */
export interface Layer {
  /** 0 is the lowest. */
  level: number;
  /** The part's name: files of one part may import one another. */
  part: string;
  /** The one other part of the same layer whose descriptions this part carries out. */
  beside?: string;
}

/** Every file's path, relative to the repository, and the paths that it imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

const PARTS: readonly (Layer & { pattern: RegExp })[] = [
  { level: 0, part: "src/core", pattern: /^src\/core\// },
  { level: 1, part: "src/precision", pattern: /^src\/precision\// },
  { level: 1, part: "kernels", pattern: /^kernels\// },
  { level: 1, part: "src/gpu", pattern: /^src\/gpu\//, beside: "kernels" },
  { level: 2, part: "src/ir", pattern: /^src\/ir\// },
  { level: 3, part: "src/ops", pattern: /^src\/ops\// },
  { level: 4, part: "src/compile", pattern: /^src\/compile\// },
  { level: 4, part: "src/backend", pattern: /^src\/backend\//, beside: "src/compile" },
  {
    level: 5,
    part: "the arrays",
    pattern: /^src\/(transform\/|methods\/|numpy\/|lax\/|)[^/]*\.ts$/,
  },
  {
    level: 6,
    part: "the libraries",
    pattern: /^src\/(random|losses|nn|optim|train|numerics|io|distributed)\//,
  },
  { level: 7, part: "mod.ts", pattern: /^mod\.ts$/ },
];

/** The layer of a file, or null for a file that belongs to none. */
export function layerOf(path: string): Layer | null {
  return PARTS.find(({ pattern }) => pattern.test(path)) ?? null;
}

/**
 * A module's text without comments and without what stands in template literals, so that an `import` in
 * an example or in generated code is not taken for one.
 */
function codeOnly(text: string): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|`(?:\\[\s\S]|[^`\\])*`|"(?:\\.|[^"\\\n])*"/g;
  return text.replace(token, (found) => found.startsWith('"') ? found : " ");
}

/** The module specifiers that a module names: static, re-exporting and dynamic imports, types too. */
export function importsOf(text: string): string[] {
  const statement = /(?:\bimport\s*\(\s*|\bfrom\s*|(?:^|[;\n])\s*import\s*)"([^"\n]+)"/g;
  return [...codeOnly(text).matchAll(statement)].map((found) => found[1]);
}

/** The path of a relative specifier, seen from the file that names it. */
export function resolve(from: string, specifier: string): string {
  return new URL(specifier, new URL(from, "file:///")).pathname.slice(1);
}

/** Builds the graph of relative imports from the files' texts. */
export function buildGraph(files: ReadonlyMap<string, string>): ImportGraph {
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const relative = importsOf(text).filter((specifier) => specifier.startsWith("."));
    graph.set(path, relative.map((specifier) => resolve(path, specifier)));
  }
  return graph;
}

/** What is wrong with one import, or null. */
function judge(from: string, to: string): string | null {
  const importer = layerOf(from);
  const imported = layerOf(to);
  if (!importer) return `${from} belongs to no layer`;
  if (!imported) return `${from} imports ${to}, which belongs to no layer`;
  if (imported.level < importer.level) return null;
  if (imported.part === importer.part || imported.part === importer.beside) return null;
  const direction = imported.level > importer.level ? "upward" : "sideways";
  return `${from} (L${importer.level}) imports ${direction} ${to} (L${imported.level})`;
}

/** Every import that goes upward or into another part of the same layer, in words. */
export function layerViolations(graph: ImportGraph): string[] {
  const found = new Set<string>();
  for (const [from, imports] of graph) {
    if (!layerOf(from)) found.add(`${from} belongs to no layer`);
    for (const to of imports) {
      const wrong = judge(from, to);
      if (wrong) found.add(wrong);
    }
  }
  return [...found];
}

/** Every import cycle that a depth-first walk closes, each as `a -> b -> a`. */
export function importCycles(graph: ImportGraph): string[] {
  const cycles: string[] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path].join(" -> "));
      return;
    }
    if (finished.has(path)) return;
    trail.push(path);
    for (const next of graph.get(path) ?? []) visit(next);
    trail.pop();
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return cycles;
}
