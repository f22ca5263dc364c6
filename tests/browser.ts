// A browser for the tests of what is drawn: a page is loaded without a window, and says what became of it.

import { join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome"];

async function findBrowser(): Promise<string | undefined> {
  for (const name of names) {
    try {
      const { success } = await new Deno.Command(name, {
        args: ["--version"],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return name;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

const browser = await findBrowser();

/** Registers a test that needs a browser. Where there is none it is left out, and that is said on stderr. */
export function browserTest(name: string, fn: () => Promise<void>): void {
  if (browser) Deno.test(name, fn);
  else console.error(`No browser found (${names.join(", ")}): not tested that ${name}`);
}

/**
 * Loads a page and gives what an expression is there, by way of JSON.
 *
 * @param page the page's text; `script` is added to its end.
 * @param script an expression of JavaScript.
 */
export async function evaluateInPage(page: string, script: string): Promise<unknown> {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "page.html");
    const measured = `<script>document.documentElement.setAttribute("data-measured",
      encodeURIComponent(JSON.stringify(${script})))</script>`;
    await Deno.writeTextFile(file, page.replace("</body>", `${measured}</body>`));
    const { stdout } = await new Deno.Command(browser!, {
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        `--user-data-dir=${join(folder, "profile")}`,
        "--window-size=1200,900",
        "--dump-dom",
        `file://${file}`,
      ],
      stdin: "null",
      stderr: "null",
    }).output();
    const [, text] = /data-measured="([^"]*)"/.exec(new TextDecoder().decode(stdout)) ?? [];
    if (text === undefined) throw new Error("the browser gave no page");
    return JSON.parse(decodeURIComponent(text));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
