/** What `flood_test.ts` measures with: the attacker's side of a bargain, an honest client's rate, and a process's state. */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** How somebody attacks. */
export type Attack = "slow" | "flood" | "garbage";

/** A listener of TCP. */
export interface TcpTarget {
  /** `host:port` */
  readonly address: string;
  /** What an honest client says first, in hex. */
  readonly hello: string;
}

/** A listener over messaging. */
export interface MessagingTarget {
  /** URL of the messaging discovery. */
  readonly discovery: string;
  /** Whose listener. */
  readonly key: string;
  /** Where it listens. */
  readonly port: number;
}

/** What is attacked. */
export type Target = TcpTarget | MessagingTarget;

/** A line of the attacker's input. */
export type AttackCommand =
  /** With a discovery: joins its network, for attacks to come. */
  | { readonly attack: "none"; readonly discovery?: string }
  | ({ readonly attack: Attack } & Target);

/** The attacker, a process of its own. */
export class Attacker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  /** Starts it. */
  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "tests/slow/attacker.ts"],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Has it join a messaging network, which it must before it attacks what is reached over it. */
  async join(discovery: string): Promise<void> {
    await this.#tell({ attack: "none", discovery });
  }

  /** Attacks while `work` runs. */
  async attackDuring<T>(attack: Attack, target: Target, work: () => Promise<T>): Promise<T> {
    await this.#tell({ attack, ...target });
    try {
      return await work();
    } finally {
      await this.#tell({ attack: "none" });
    }
  }

  async #tell(command: AttackCommand): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
    const { done } = await this.#output.read();
    if (done) throw new Error("the attacker has ended");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
    await this.#output.cancel();
  }
}

/** How an honest client is paced, and how long it waits for each answer. */
export interface HonestPace {
  /** Begins of requests a second at most. */
  readonly perSecond: number;
  /** For how long, ms. */
  readonly ms: number;
}

/** What is given up, ms. */
const PATIENCE_MS = 2_000;

/**
 * The rate at which one honest client is served that asks again when it was answered.
 * @param ask throws when it is not served
 * @returns answers a second
 */
export async function measureRate(ask: (signal: AbortSignal) => Promise<void>, pace: HonestPace): Promise<number> {
  const began = performance.now();
  let served = 0;
  let elapsed = 0;
  for (let asked = 0; elapsed < pace.ms; asked++) {
    const early = asked * 1_000 / pace.perSecond - elapsed;
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    const isServed = await ask(AbortSignal.timeout(PATIENCE_MS)).then(
      () => true,
      () => false,
    );
    if (isServed) served++;
    elapsed = performance.now() - began;
  }
  return served / (elapsed / 1_000);
}

/** A process at one moment (Linux). */
export interface ProcessState {
  /** Resident memory, MB. */
  readonly megabytes: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** @throws when the process has ended */
export async function stateOf(pid: number): Promise<ProcessState> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  if (/^State:\s+[ZX]/m.test(status)) throw new Error(`process ${pid} has ended`);
  return {
    megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1_024,
    descriptors: [...Deno.readDirSync(`/proc/${pid}/fd`)].length,
  };
}
