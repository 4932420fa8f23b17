// The page of figures: whether it can be read everywhere, and its figures as files.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { check, visit } from "./checks.mjs";

// 17 cm at 300 dots an inch, and those a metre.
const WIDTH = 2008;
const DOTS = 11811;

export async function report(browser, folder) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 800, 1400, 2560]) {
      await check(`page of figures, ${width} pixels, ${colorScheme}: nothing is wider than it, and text can be read`, async () => {
        const { page, heard } = await visit(browser, folder, "index.html", { viewport: { width, height: 900 }, colorScheme });
        const { overflow, isDark } = await page.evaluate(() => ({
          overflow: document.documentElement.scrollWidth - innerWidth,
          isDark: Number(getComputedStyle(document.documentElement).backgroundColor.match(/\d+/)[0]) < 60,
        }));
        assert.ok(overflow <= 0, `${overflow} pixels too wide`);
        assert.equal(isDark, colorScheme === "dark");
        heard.nothingWrong();
        if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/index-${colorScheme}-${width}.png`, fullPage: true });
        await page.context().close();
      });
    }
  }
  const { page, heard } = await visit(browser, folder, "index.html", { colorScheme: "dark" });
  await check("each figure is an SVG, and a PNG of 300 dots an inch on white", async () => {
    const figures = await page.locator("figure").evaluateAll((all) => all.map((figure) => figure.id));
    assert.ok(figures.length >= 8, figures.join(", "));
    for (const figure of figures) {
      const svg = await page.locator(`#${figure} a`, { hasText: "SVG" }).getAttribute("href");
      assert.ok(readFileSync(`${folder}/${svg}`, "utf8").includes("</svg>"), svg);
      const download = page.waitForEvent("download");
      await page.locator(`#${figure} button.png`).click();
      const file = await download;
      assert.equal(file.suggestedFilename(), `${figure}.png`);
      const path = process.env.PICTURES ? `${process.env.PICTURES}/figure-${figure}.png` : await file.path();
      if (process.env.PICTURES) await file.saveAs(path);
      const png = readFileSync(path);
      assert.equal(png.readUInt32BE(16), WIDTH, figure);
      assert.equal(png.toString("latin1", 37, 41), "pHYs", figure);
      assert.deepEqual([png.readUInt32BE(41), png.readUInt32BE(45), png[49]], [DOTS, DOTS, 1], figure);
      // The browser reads it, so its sums are right; its corners are white, and something is drawn.
      const { corners, n } = await page.evaluate(async (text) => {
        const image = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type: "image/png" }));
        const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        const dark = data.filter((v, i) => i % 4 === 0 && v < 128);
        return { corners: [...data.slice(0, 4), ...data.slice(-4)], n: dark.length };
      }, png.toString("base64"));
      assert.deepEqual(corners, Array(8).fill(255), figure);
      assert.ok(n > 500, `${figure}: ${n} dark pixels`);
    }
    return figures.join(", ");
  });
  await check("a variable star of the list leads to its velocities", async () => {
    const link = page.locator("#stars tbody a").first();
    const name = await link.textContent();
    await link.click();
    await page.waitForSelector("#curve canvas");
    assert.equal(await page.locator("#star-name").textContent(), name);
  });
  await check("no console message of the page of figures", () => heard.nothingWrong());
  await page.context().close();
}
