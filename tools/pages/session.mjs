// Waits until a page warns of the end of its session, stays by the keyboard, and waits until the page is taken away.
// usage: node session.mjs ADDRESS LOGIN   (password in AVOCET_PASSWORD; the server with --idle-minutes 1)
import { chromium } from "playwright-core";

const [address, login] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
const fail = async (why) => {
  console.error(`session: ${why}`);
  await browser.close();
  process.exit(1);
};
await page.goto(`${address}/sign-in`);
await page.fill("#login", login);
await page.fill("#password", process.env.AVOCET_PASSWORD);
await page.keyboard.press("Enter");
await page.waitForURL((url) => url.pathname === "/");
await page.goto(`${address}/help`);
const warned = () => page.waitForSelector("#session-end[open]", { timeout: 45000 }).catch(() => fail("nothing warns before the session ends"));
const began = Date.now();
await warned();
const after = Date.now() - began;
if (after < 25000) await fail(`it warns after ${after} ms already`);
await page.keyboard.press("Escape");
if (!(await page.isVisible("#session-end"))) await fail("Escape puts the question away");
if ((await page.evaluate(() => document.activeElement.id)) !== "session-stay") await fail("the button to stay has not the focus");
await page.keyboard.press("Enter");
await page.waitForSelector("#session-end[open]", { state: "detached", timeout: 5000 }).catch(() => fail("staying does not close the question"));
if ((await page.goto(`${address}/help`)).url().includes("sign-in")) await fail("staying did not keep the session");
await warned();
await page.waitForURL((url) => url.pathname === "/sign-in", { timeout: 45000 }).catch(() => fail("the page of an ended session stays"));
const text = await page.content();
if (text.includes("What comes first")) await fail("what was on the page is still there");
console.log(JSON.stringify({ warned_after_seconds: Math.round(after / 1000), signed_out: true }));
await browser.close();
