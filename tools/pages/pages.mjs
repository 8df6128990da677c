// Opens pages of a running server, writes screenshots of each, and runs axe on each.
// usage: node pages.mjs ADDRESS OUT LOGIN:PATH[,PATH…] …   (password in AVOCET_PASSWORD; OUT may be - for no pictures; LOOKS may name
// some of the looks, and then how long each page took and how long it is, is printed too)
// Ends with 1 where axe has a serious or critical finding, a page does not answer 200, or a page is wider than its window.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [address, out, ...wanted] = process.argv.slice(2);
const axe = readFileSync(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const looks = [
  { name: "desktop", width: 1366, height: 900, scheme: "light" },
  { name: "dark", width: 1366, height: 900, scheme: "dark" },
  { name: "tablet", width: 820, height: 1180, scheme: "light" },
  { name: "narrow", width: 320, height: 640, scheme: "light" },
].filter((look) => !process.env.LOOKS || process.env.LOOKS.split(" ").includes(look.name));
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const profile = mkdtempSync(join(tmpdir(), "avocet-pages-"));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
if (out !== "-") mkdirSync(out, { recursive: true });
let pages = 0;
let wrong = 0;
const complain = (text) => {
  wrong += 1;
  console.error(text);
};
for (const one of wanted) {
  const [login, paths] = [one.slice(0, one.indexOf(":")), one.slice(one.indexOf(":") + 1).split(",")];
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`${address}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", process.env.AVOCET_PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === "/");
  for (const path of paths) {
    const began = Date.now();
    const answer = await page.goto(address + path);
    if (process.env.LOOKS) {
      const size = Math.round((await answer.body()).length / 1024);
      const rows = await page.evaluate(() => document.querySelectorAll("tr").length);
      console.log(`${login} ${path}: ${Date.now() - began} ms, ${size} KiB, ${rows} rows`);
    }
    if (answer.status() !== 200) complain(`${login} ${path}: ${answer.status()}`);
    const name = `${login}${path.replace(/[^A-Za-z0-9]+/g, "_")}`;
    for (const look of looks) {
      await page.setViewportSize({ width: look.width, height: look.height });
      await page.emulateMedia({ colorScheme: look.scheme });
      if (out !== "-") await page.screenshot({ path: join(out, `${name}.${look.name}.png`), fullPage: true });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 1) complain(`${login} ${path} ${look.name}: ${wider} px wider than its window`);
      if (look.name === "tablet" && !process.env.LOOKS) continue;
      // Through the debugger: the page's own policy lets no script run.
      await page.evaluate(axe);
      const found = await page.evaluate(async () => {
        const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
        return result.violations.map((v) => ({ id: v.id, impact: v.impact, at: v.nodes.map((n) => n.target.join(" ")).slice(0, 3) }));
      });
      for (const finding of found) {
        const text = `${login} ${path} ${look.name}: ${finding.impact} ${finding.id} at ${finding.at.join("; ")}`;
        if (["serious", "critical"].includes(finding.impact)) complain(text);
        else console.log(text);
      }
    }
    pages += 1;
  }
  await context.close();
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
console.log(`${pages} pages in ${looks.length} looks, ${wrong} things wrong`);
process.exit(wrong === 0 ? 0 : 1);
