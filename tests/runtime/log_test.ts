/** Log lines and figures. */

import assert from "node:assert/strict";
import { createLog, createMetrics, createWriterSink, formatLogJson, formatLogText } from "../../lib/runtime/mod.ts";
import type { LogLine } from "../../lib/runtime/mod.ts";

const CLOCK = { wallMs: (): number => Date.UTC(2030, 0, 2, 3, 4, 5, 6) };

Deno.test("createLog() drops lines below its level and carries fields of with()", () => {
  const lines: LogLine[] = [];
  const log = createLog({ level: "warn", clock: CLOCK, sink: (line) => lines.push(line) }).with({ part: "x" });
  log.info("hidden");
  log.warn("shown", { count: 2 });
  assert.deepEqual(lines.map(({ level, event, fields }) => ({ level, event, fields })), [
    { level: "warn", event: "shown", fields: { part: "x", count: 2 } },
  ]);
});

Deno.test("log lines are one line each, as text and as JSON", () => {
  const line: LogLine = {
    timeMs: CLOCK.wallMs(),
    level: "info",
    event: "link-up",
    fields: { kind: "stcp", text: 'a "b"\nc', big: 5n, none: undefined },
  };
  assert.equal(formatLogText(line), '03:04:05.006 info  link-up kind=stcp text="a \\"b\\"\\nc" big=5');
  assert.equal(
    formatLogJson(line),
    '{"time":"2030-01-02T03:04:05.006Z","level":"info","event":"link-up","kind":"stcp","text":"a \\"b\\"\\nc","big":"5"}',
  );
});

Deno.test("createWriterSink() drops what waits beyond 256 KiB, counts it, and tells when there is room", async () => {
  const lines: string[] = [];
  const reading = Promise.withResolvers<void>();
  const writer = {
    waitingBytes: 0,
    async write(bytes: Uint8Array): Promise<void> {
      this.waitingBytes += bytes.length;
      await reading.promise;
      this.waitingBytes = 0;
      lines.push(new TextDecoder().decode(bytes));
    },
  };
  let dropped = 0;
  const counter = { add: (count = 1): void => void (dropped += count) };
  const sink = createWriterSink({ writer, format: formatLogText, clock: CLOCK, dropped: counter });
  const line: LogLine = { timeMs: 0, level: "info", event: "e", fields: { text: "x".repeat(1_000) } };
  for (let i = 0; i < 300; i++) sink(line);
  const kept = 300 - dropped;
  assert.ok(kept > 250 && kept < 262, `${kept} of 1 KiB each fit into 256 KiB`);
  reading.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(lines.length, kept + 1);
  assert.equal(lines[kept], `03:04:05.006 warn  log-lines-dropped count=${dropped}\n`);
});

Deno.test("createMetrics() renders Prometheus text; one name is one figure", () => {
  const metrics = createMetrics();
  metrics.counter("skywire_link_opened_total", "Links opened").add();
  metrics.counter("skywire_link_opened_total", "Links opened").add(2);
  metrics.gauge("skywire_link_open", "Links\nopen").set(1);
  assert.equal(
    metrics.render(),
    "# HELP skywire_link_open Links\\nopen\n# TYPE skywire_link_open gauge\nskywire_link_open 1\n" +
      "# HELP skywire_link_opened_total Links opened\n# TYPE skywire_link_opened_total counter\nskywire_link_opened_total 3\n",
  );
  assert.throws(() => metrics.gauge("skywire_link_opened_total", ""), RangeError);
  assert.throws(() => metrics.counter("Other", ""), RangeError);
});
