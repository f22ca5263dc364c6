// Figures that are kept: one JSON file an adapter under bench/results, each tool's figures under its own
// name, and beside it the same as Markdown.

import type { Environment } from "../run/environment.ts";

/** What one tool measured, and the Markdown that shows it. */
export interface Report {
  readonly environment: Environment;
  /** When, as an ISO date. */
  readonly date: string;
  readonly data: unknown;
  readonly markdown: string;
}

/** What one adapter's file holds. */
export type SavedReports = Record<string, Report>;

/** An adapter's name as a file is named. */
export function fileStem(adapter: string): string {
  return adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "") ||
    "unknown";
}

/** The Markdown of all that is known of one adapter. */
export function reportsMarkdown(reports: SavedReports): string {
  const [first] = Object.values(reports);
  const parts = [`# ${first.environment.adapter}`];
  for (const [tool, { date, markdown }] of Object.entries(reports)) {
    parts.push(`## ${tool}, ${date}`, markdown);
  }
  return `${parts.join("\n\n")}\n`;
}

async function readReports(path: URL): Promise<SavedReports> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** Puts a tool's report into its adapter's files and returns where they are. */
export async function saveReport(
  tool: string,
  report: Report,
  folder: URL = new URL("../results/", import.meta.url),
): Promise<URL[]> {
  const stem = fileStem(report.environment.adapter);
  const json = new URL(`${stem}.json`, folder);
  const markdown = new URL(`${stem}.md`, folder);
  const reports = { ...await readReports(json), [tool]: report };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(json, `${JSON.stringify(reports, null, 2)}\n`);
  await Deno.writeTextFile(markdown, reportsMarkdown(reports));
  return [json, markdown];
}
