// Figures that are kept under bench/results: one JSON file an adapter, with each tool's figures under its
// own name, and beside it one Markdown file a tool.

import type { Environment } from "../run/environment.ts";
import { wrap } from "./wrap.ts";

/** What one tool measured. */
export interface Report {
  readonly environment: Environment;
  /** When, as an ISO date. */
  readonly date: string;
  readonly data: unknown;
}

/** What one adapter's file holds. */
export type SavedReports = Record<string, Report>;

/** The width to which the formatter breaks prose. */
const PROSE_WIDTH = 100;

/** An adapter's name as a file is named. */
export function fileStem(adapter: string): string {
  return adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "") ||
    "unknown";
}

/** Paragraphs, tables and notes as one Markdown text. */
export function composeMarkdown(
  title: string,
  paragraphs: readonly string[],
  tables: readonly string[],
  notes: readonly string[],
): string {
  const list = notes.map((note) => `- ${wrap(note, PROSE_WIDTH - 2).join("\n  ")}`).join("\n");
  const prose = paragraphs.map((paragraph) => wrap(paragraph, PROSE_WIDTH).join("\n"));
  return `${[`# ${title}`, ...prose, ...tables, list].join("\n\n")}\n`;
}

/** JSON for a file: fractions with as many digits as a measurement can have. */
export function toJson(value: unknown): string {
  const shorten = (_key: string, own: unknown) =>
    typeof own === "number" && !Number.isInteger(own) && Number.isFinite(own)
      ? Number(own.toPrecision(4))
      : own;
  return `${JSON.stringify(value, shorten, 2)}\n`;
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
  markdown: string,
  folder: URL = new URL("../results/", import.meta.url),
): Promise<{ json: URL; markdown: URL }> {
  const stem = fileStem(report.environment.adapter);
  const paths = {
    json: new URL(`${stem}.json`, folder),
    markdown: new URL(`${stem}.${tool}.md`, folder),
  };
  const reports = { ...await readReports(paths.json), [tool]: report };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(paths.json, toJson(reports));
  await Deno.writeTextFile(paths.markdown, markdown);
  return paths;
}
