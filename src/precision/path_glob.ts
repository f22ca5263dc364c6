// Patterns of module paths: "*" stands for any part of one name, "**" for any number of names.

/** Whether a pattern has a star: others name one module. */
export function isGlob(pattern: string): boolean {
  return pattern.includes("*");
}

/** A pattern as a test of module paths such as `encoder/block0/norm1`. */
export function pathGlob(pattern: string): (path: string) => boolean {
  const literal = (text: string) => text.replace(/[\\^$.|?+(){}[\]]/g, "\\$&");
  const names = pattern.split("/").map((name, at, all) => {
    const last = at === all.length - 1;
    if (name === "**") return last ? ".*" : "(?:[^/]+/)*";
    return `${name.split("*").map(literal).join("[^/]*")}${last ? "" : "/"}`;
  });
  const expression = new RegExp(`^${names.join("")}$`);
  return (path) => expression.test(path);
}
