import assert from 'node:assert/strict';

/** Somebody at a browser. */
export class Visitor {
  constructor(demo, context, page, hasJavaScript) {
    Object.assign(this, { demo, context, page, hasJavaScript });
  }

  /** The same browser's next tab, with nothing in it. */
  async tab() {
    const page = await this.context.newPage();
    return new Visitor(this.demo, this.context, page, this.hasJavaScript);
  }

  /** Types an address: a path of Portico, or a whole URL. */
  open(address) {
    return this.page.goto(new URL(address, this.demo.portico).href);
  }

  /** Goes to a path of Portico as by a link on the page. */
  leaveFor(path) {
    return this.page.evaluate((url) => { location.href = url; }, this.demo.portico + path);
  }

  press(name) {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  follow(name) {
    return this.page.getByRole('link', { name, exact: true }).click();
  }

  type(label, text) {
    return this.page.getByLabel(label, { exact: true }).fill(text);
  }

  /** Waits until the page with this heading is there. */
  async sees(heading) {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  }

  /** Waits until the page shows this text somewhere. */
  async reads(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /** What the page says of a term in a list of names and values. */
  value(term) {
    const name = this.page.locator(`dt:text-is("${term}")`);
    return this.page.locator('dl > div').filter({ has: name }).locator('dd').innerText();
  }

  /** What a table of two columns says in the row of a name. */
  async row(name) {
    const row = this.page.getByRole('row').filter({ hasText: name });
    const [, value] = await row.getByRole('cell').allInnerTexts();
    return value;
  }

  /** Where a sign-in that begins at a path of Portico would lead the browser, as an address. */
  async begin(path) {
    const begun = await this.context.request.get(this.demo.portico + path, { maxRedirects: 0 });
    assert.equal(begun.status(), 302);
    return new URL(begun.headers().location);
  }

  /** The cookies that Portico gave this browser. */
  async cookies(name) {
    const cookies = await this.context.cookies(this.demo.portico);
    return cookies.filter((cookie) => cookie.name.startsWith(name));
  }

  /** Goes back by the browser's own button. */
  goBack() {
    return this.page.goBack();
  }

  /** Picks an account at the tenant and types its password. */
  async pass(username) {
    await this.sees('Pick an account');
    await this.page.locator(`button[name="login"][value="${username}"]`).click();
    await this.password(username);
  }

  /** Types the password at the tenant. */
  async password(username) {
    await this.sees('Enter password');
    await this.type('Password', this.demo.person(username).password);
    await this.press('Sign in');
  }

  /** Signs in from the organization's own sign-in address to the portal or a page of ours. */
  async signIn(username) {
    await this.open(`/login/${username.match(/@(.+)\.example$/)[1]}`);
    await this.pass(username);
  }

  /** The path and query of the page, which is one of `origin`. */
  place(origin = this.demo.portico) {
    const url = new URL(this.page.url());
    assert.equal(url.origin, origin);
    return url.pathname + url.search;
  }
}
