import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { inPath } from './path.mjs';
import { Visitor } from './visitor.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium, and what its pages did that no page should. */
export class Browser {
  #complaints = new Set();

  /** What browsers with settings of their own keep on the disk. */
  #folders = [];

  static async launch(demo) {
    const browser = new Browser();
    browser.options = { executablePath: process.env.CHROMIUM || inPath('chromium'), args: FLAGS };
    browser.demo = demo;
    browser.chromium = await chromium.launch(browser.options);
    return browser;
  }

  /** For one story: whoever comes in it. */
  visits() {
    return new Visits(this);
  }

  /** Everything that pages did wrong, if they did. */
  complaint() {
    return [...this.#complaints].join('\n') || undefined;
  }

  async close() {
    await this.chromium.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, maxRetries: 20 });
  }

  /** Chromium by itself, set to keep no cookies of Portico's. */
  async launchWithoutCookies(settings) {
    const folder = mkdtempSync(join(tmpdir(), 'portico-browser-'));
    const blocked = { setting: 2, last_modified: '13300000000000000' };
    const exceptions = { cookies: { 'localhost,*': blocked } };
    mkdirSync(join(folder, 'Default'));
    const preferences = JSON.stringify({ profile: { content_settings: { exceptions } } });
    writeFileSync(join(folder, 'Default/Preferences'), preferences);
    const context = await chromium.launchPersistentContext(folder, {
      ...this.options,
      ...settings,
    });
    this.#folders.push(folder);
    return context;
  }

  /** Hears from now on what the pages of a context do. */
  async watch(context) {
    const refused = new Set();
    const complain = (complaint) => this.#complaints.add(complaint);
    context.on('response', (answer) => answer.status() >= 400 && refused.add(answer.url()));
    context.on('request', (request) => {
      if (!this.#isOurs(request.url())) complain(`a third origin: ${request.url()}`);
    });
    context.on('console', (message) => {
      // Chromium also logs each answer of 400 and above; the stories look at those themselves.
      const isAnswer = message.text().startsWith('Failed to load resource: the server responded');
      if (isAnswer && refused.has(message.location().url)) return;
      if (['error', 'warning'].includes(message.type())) {
        complain(`${message.page()?.url()}: ${message.text()}`);
      }
    });
    context.on('weberror', (thrown) => complain(`${thrown.page()?.url()}: ${thrown.error()}`));
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (violation) => {
        console.error(`policy broken: ${violation.violatedDirective} ${violation.blockedURI}`);
      });
    });
  }

  #isOurs(address) {
    const { origin, protocol } = new URL(address);
    const { portico, tenant, sample } = this.demo;
    return protocol === 'data:' || [portico, tenant, sample].includes(origin);
  }
}

/** Each story, and each once more in browsers without JavaScript. */
export function withAndWithoutJavaScript(stories) {
  const without = Object.entries(stories).map(([sentence, story]) => [
    `${sentence}, without JavaScript`,
    (visits, demo) => {
      visits.settings = { javaScriptEnabled: false };
      return story(visits, demo);
    },
  ]);
  return { ...stories, ...Object.fromEntries(without) };
}

/** The visitors of one story. */
class Visits {
  #visitors = [];

  /** What every visitor's browser is set to besides. */
  settings = {};

  constructor(browser) {
    this.browser = browser;
  }

  /** Somebody with an empty browser. */
  async visitor(options = {}) {
    const viewport = { width: 1280, height: 900 };
    const settings = { viewport, ...this.settings, ...options };
    return this.#visitor(await this.browser.chromium.newContext(settings), settings);
  }

  /** Somebody whose browser keeps no cookies of Portico's. */
  async visitorWithoutCookies(options = {}) {
    const settings = { ...this.settings, ...options };
    return this.#visitor(await this.browser.launchWithoutCookies(settings), settings);
  }

  async #visitor(context, { javaScriptEnabled = true }) {
    context.setDefaultTimeout(30_000);
    await this.browser.watch(context);
    const page = await context.newPage();
    const visitor = new Visitor(this.browser.demo, context, page, javaScriptEnabled);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Where the visitors are. */
  places() {
    return this.#visitors.map((visitor) => visitor.page.url());
  }

  async close() {
    await Promise.all(this.#visitors.map((visitor) => visitor.context.close()));
  }
}
