import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAM =
  process.env.PORTICO ?? join(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/portico');
const PATIENCE = 60_000;

/** A running `portico demo`. */
export class Demo {
  /** What it said on its standard error output. */
  log = '';

  static async start() {
    const port = await freeTriple();
    const demo = new Demo();
    demo.child = spawn(PROGRAM, ['demo', '--json', '--port', String(port)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    demo.child.stderr.on('data', (chunk) => { demo.log += chunk; });
    process.once('exit', () => demo.child.kill('SIGKILL'));
    const { public_url, authority, organizations } = JSON.parse(await demo.#firstLine());
    demo.portico = public_url;
    demo.tenant = authority;
    demo.sample = `http://localhost:${port + 2}`;
    demo.organizations = organizations;
    return demo;
  }

  /** Somebody who plays in the demo, by user name. */
  person(username) {
    const people = this.organizations.flatMap((organization) => organization.users);
    return people.find((person) => person.username === username);
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    this.child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }

  #firstLine() {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${PROGRAM} demo ${why}\n${this.log}`));
      const timer = setTimeout(() => fail('does not say that it is ready'), PATIENCE);
      this.child.once('error', (error) => fail(`can't be started: ${error.message}`));
      this.child.once('exit', (code) => fail(`ended with exit code ${code}`));
      createInterface(this.child.stdout).once('line', (line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
  }
}

/** The first of three free ports in a row, away from those that browsers refuse. */
async function freeTriple() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = 20_000 + 3 * Math.floor(Math.random() * 3_000);
    const free = await Promise.all([first, first + 1, first + 2].map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error('no three free ports in a row');
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
