import { expect, it } from "vitest";
import { ownScript } from "./trusted";

it("takes a script of the page's own origin and no other", () => {
  expect(ownScript("/assets/worker.js", "https://coop.example")).toBe("https://coop.example/assets/worker.js");
  for (const url of ["https://evil.example/worker.js", "//evil.example/worker.js", "data:text/javascript,0", "blob:https://coop.example/1"]) {
    expect(() => ownScript(url, "https://coop.example"), url).toThrow(TypeError);
  }
});
