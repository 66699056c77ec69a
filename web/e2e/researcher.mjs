// A researcher works in a browser with a wallet: is approved by the ethics board, buys, extends, prints, and sees what goes wrong on the way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeFunctionData } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { fits, isAccessible, visit } from "./browser.mjs";
import { deviceOf } from "./device.mjs";
import { tabTo } from "./keyboard.mjs";
import { rpc, walletIn } from "./wallet.mjs";

/** What a test makes go wrong. */
const BROKEN = /Failed to load resource/;
const HALF_A_MINUTE = { timeout: 45_000 };
const LOOKS = [
  { size: "wide", theme: "light", language: "en" },
  { size: "narrow", theme: "dark", language: "de" },
];

export const tests = (world) => {
  if (!world.state) return [];
  return [
    ["no wallet: says what one is and what to do", () => noWallet(world)],
    ["connects: refused, locked, another chain, one that it does not know", () => connects(world)],
    ["applies, is approved by the board, buys, extends and has an invoice", () => wholeWay(world)],
    ["asks, sees what it costs before, and has the answer as chart, table and files", () => asks(world)],
    ["an order that broke on the way goes again, and is charged once", () => asksAgain(world)],
    ["a purchase whose end nobody saw is not paid twice", () => unseen(world)],
    ["nothing is bought: refused, too little money, another price, another account", () => refused(world)],
    ["bids in an auction, loses what the browser kept, reveals by the file, wins and fetches the rest", () => auctions(world)],
    ["puts down a computing job, and gets all of it back where no result comes", () => computes(world)],
    ["other contracts than before are not paid", () => otherContracts(world)],
    ["by a passkey: applies, is approved, buys, asks and reads the answer", () => byPasskey(world)],
    ["by a passkey: too little money, a device that says no, a server that refuses or is away, an approval that ended", () => passkeyRefused(world)],
    ["by keyboard alone", () => byKeyboard(world)],
    // Wide, light and in English all tests above look.
    ...LOOKS.slice(1).map((look) => [`every page, ${Object.values(look).join(", ")}`, () => looks(world, look)]),
  ];
};

const button = (page, name) => page.getByRole("button", { name, exact: true });
const abi = (contract) => JSON.parse(readFileSync(new URL(`../../abi/${contract}.json`, import.meta.url), "utf8")).abi;
const inState = (world, ...path) => readFileSync(join(world.state, ...path), "utf8");

/** The node of the cooperative's chain, and its contracts. */
export function chainOf(world) {
  world.chained ??= { node: `http://127.0.0.1:${JSON.parse(inState(world, "layout.json")).rpc_port}`, at: JSON.parse(inState(world, "manifest.json")).addresses };
  return world.chained;
}

export async function transact(world, from, to, contract, functionName, args) {
  const { node } = chainOf(world);
  await rpc(node, "anvil_impersonateAccount", [from]);
  const hash = await rpc(node, "eth_sendTransaction", [{ from, to, data: encodeFunctionData({ abi: abi(contract), functionName, args }) }]);
  for (;;) {
    const receipt = await rpc(node, "eth_getTransactionReceipt", [hash]);
    if (receipt) return assert.equal(receipt.status, "0x1", `${functionName} was refused`);
    await new Promise((go) => setTimeout(go, 100));
  }
}

/** Test dollars, which anybody mints on the local chain, and ether for the network's fee. */
async function fund(world, address, dollars) {
  const { node, at } = chainOf(world);
  await rpc(node, "anvil_setBalance", [address, "0x56bc75e2d63100000"]);
  if (dollars > 0) await transact(world, address, at.usdc, "TestUSDC", "mint", [address, BigInt(dollars) * 1_000_000n]);
}

/** A new visitor with a wallet; `key` is the wallet's. */
export async function arrive(world, look = {}, { key = generatePrivateKey(), dollars = 0, ...options } = {}) {
  const { node } = chainOf(world);
  const visitor = await visit(world.browser, world.site, look);
  await fund(world, privateKeyToAccount(key).address, dollars);
  const wallet = await walletIn(visitor.page, { key, node, ...options });
  return { ...visitor, wallet, key, account: wallet.account.address.toLowerCase() };
}

export const connect = async ({ page }) => {
  await page.getByRole("button", { name: /^(Connect Test wallet|Test wallet verbinden)$/ }).click();
  await page.getByRole("button", { name: /^(Disconnect|Trennen)$/ }).waitFor();
};

const saved = async (page, act) => {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
};

/** Saves the key, and opens its file to show that it is there. */
async function keepKey(page) {
  const key = await saved(page, () => button(page, "Save the key as a file").click());
  await open(page, "Open the saved file, to be sure", key.text);
  await page.getByText("The key is saved.").waitFor();
  return key;
}

const open = async (page, name, file) => {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button(page, name).click()]);
  await chooser.setFiles({ name: "file.json", mimeType: "application/json", buffer: Buffer.from(file) });
};

const boardKey = (world) => `0x${inState(world, "offices", "ethics.key").trim().split(" ")[1]}`;

/** Has the board approve by its key, as `wholeWay` does in the browser. */
export async function approve(world, account, purpose = 6, days = 400, sender = account) {
  const { node, at } = chainOf(world);
  const now = Number((await rpc(node, "eth_getBlockByNumber", ["latest", false])).timestamp);
  const nonce = BigInt(await rpc(node, "eth_call", [{ to: at.ethics_registry, data: encodeFunctionData({ abi: abi("EthicsRegistry"), functionName: "nonceOf", args: [account, purpose] }) }, "latest"]));
  const until = BigInt(now + days * 86_400);
  const message = { researcher: account, purpose, until, protocol: "", nonce, deadline: BigInt(now + Math.max(days, 1) * 86_400) };
  const fields = ["researcher address", "purpose uint16", "until uint64", "protocol string", "nonce uint256", "deadline uint256"].map((field) => ({ name: field.split(" ")[0], type: field.split(" ")[1] }));
  const signature = await privateKeyToAccount(boardKey(world)).signTypedData({ domain: { name: "EthicsRegistry", version: "1", chainId: 31337, verifyingContract: at.ethics_registry }, types: { Approval: fields }, primaryType: "Approval", message });
  await transact(world, sender, at.ethics_registry, "EthicsRegistry", "approve", [message, signature]);
}

async function noWallet(world) {
  for (const look of LOOKS) {
    const visitor = await visit(world.browser, world.site, look);
    const { page } = visitor;
    await visitor.open("/desk");
    await page.getByText({ en: "There is no wallet in this browser", de: "In diesem Browser ist keine Wallet" }[look.language]).waitFor();
    await isAccessible(page, "/desk without a wallet");
    await fits(page, "/desk without a wallet");
    await world.shoot(page, `researcher-none-${look.size}`);
    assert.ok(!visitor.seen.requests.some((request) => /contracts-/.test(request.url())), "what works with contracts is not loaded before there is a wallet");
    visitor.isClean();
    await visitor.close();
  }
}

async function connects(world) {
  const visitor = await arrive(world, {}, { chain: 1 });
  const { page, wallet } = visitor;
  const { node } = chainOf(world);
  const choose = button(page, "Connect Test wallet");
  await visitor.open("/desk");
  wallet.refuses = true;
  await choose.click();
  await page.getByText("You said no in your wallet").waitFor();
  await isAccessible(page, "refused to connect");
  wallet.refuses = false;
  wallet.isLocked = true;
  await choose.click();
  await page.getByText("Your wallet is locked, or shows no account").waitFor();
  wallet.isLocked = false;
  await choose.click();
  await page.getByText("Your wallet is on another chain").waitFor();
  await page.getByText("It is on chain 1; this cooperative is on chain 31337").waitFor();
  await isAccessible(page, "another chain");
  wallet.refuses = true;
  await button(page, "Switch to chain 31337").click();
  await page.getByText("You said no in your wallet").waitFor();
  wallet.refuses = false;
  await button(page, "Switch to chain 31337").click();
  await page.getByText("Your wallet does not know chain 31337").waitFor();
  await isAccessible(page, "a chain that the wallet does not know");
  await world.shoot(page, "researcher-chain");
  await page.getByLabel("Address of a node").fill("localhost");
  await button(page, "Add the chain and switch to it").click();
  await page.getByText("This is no address that begins with").waitFor();
  await page.getByLabel("Address of a node").fill(node);
  await button(page, "Add the chain and switch to it").click();
  await page.getByText("Your account has no licence yet").waitFor();
  await page.getByText(visitor.account).waitFor();
  // It stays so after a reload, without a prompt.
  const before = wallet.asked.filter((method) => method === "eth_requestAccounts").length;
  await page.reload();
  await page.getByText("Your account has no licence yet").waitFor();
  assert.equal(wallet.asked.filter((method) => method === "eth_requestAccounts").length, before);
  // The chain changes in the wallet, and the account goes away.
  wallet.chain = 1;
  await wallet.tell("chainChanged", "0x1");
  await page.getByText("Your wallet is on another chain").waitFor();
  wallet.chain = 31337;
  await wallet.tell("chainChanged", "0x7a69");
  await page.getByText("Your account has no licence yet").waitFor();
  await wallet.tell("accountsChanged", ["0x000000000000000000000000000000000000dEaD"]);
  await page.getByText("0x000000000000000000000000000000000000dead").waitFor();
  await wallet.tell("accountsChanged", []);
  await choose.waitFor();
  // A cooperative that is no trial run names no node.
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function wholeWay(world) {
  const visitor = await arrive(world, {}, { dollars: 50_000 });
  const { page, wallet, account } = visitor;
  await visitor.open("/request");
  // The number is blurred: of so few people it is mostly the least that is said.
  await page.getByText(/(50 people or fewer|about [0-9,]+ people) in dataset 1/).first().waitFor();
  await connect(visitor);
  await page.getByRole("row", { name: /Health and medical research/ }).getByText("Not approved").waitFor();
  await button(page, "Sign the application and save it as a file").click();
  await page.getByText("Give the study a title").waitFor();
  await isAccessible(page, "an application that lacks something");
  await page.getByLabel("Title of the study").fill("Blood pressure and sleep");
  await page.getByLabel("What you want to find out, and how").fill("Whether people who sleep little have a higher blood pressure.\nBy means over groups.");
  await page.getByLabel("Who you are, and how to reach you").fill("Lin, lin@example.org");
  await page.getByRole("group", { name: /not-for-profit/ }).getByLabel("Yes").check();
  await page.getByRole("group", { name: /end commercial/ }).getByLabel("No", { exact: true }).check();
  await page.getByLabel("Country of the research").fill("se");
  // Nothing of it is lost by a reload.
  await page.reload();
  await page.getByText("What the chain says of you").waitFor();
  assert.equal(await page.getByLabel("Title of the study").inputValue(), "Blood pressure and sleep");
  const application = await saved(page, () => button(page, "Sign the application and save it as a file").click());
  assert.match(application.name, /^application-.*\.json$/);
  await page.getByText("The application is saved as a file").waitFor();
  await isAccessible(page, "/request, saved");
  await world.shoot(page, "researcher-request");

  const handed = await asBoard(world, account, application.text);
  await open(page, "Open the approval’s file", application.text);
  await page.getByText("This file holds no approval for this cooperative").waitFor();
  await open(page, "Open the approval’s file", handed);
  await page.getByText(`The board approves ${account} for “Health and medical research”`).waitFor();
  await button(page, "Send it to the contract").click();
  await page.getByText("The chain has the approval").waitFor(HALF_A_MINUTE);
  await page.getByRole("row", { name: /Health and medical research/ }).getByText("Approved", { exact: true }).waitFor(HALF_A_MINUTE);
  await button(page, "Send it to the contract").waitFor({ state: "detached" });

  await visitor.open("/datasets/1");
  await page.getByRole("link", { name: "Buy a licence" }).click();
  await page.getByText("You are approved for it").waitFor();
  await page.getByLabel("Records").fill("500");
  // How many is a noisy number, another one in each cooperative.
  await page.getByText(/Published is: .+ More would cost more/).waitFor();
  await page.getByLabel("Records").fill("50");
  await page.getByText(/50 records × (US)?\$100,000\.00 ÷ 1,000 × 1 month,/).waitFor();
  await page.getByText("Save the key and open its file first").waitFor();
  await isAccessible(page, "/buy, before the key is saved");
  const download = await saved(page, () => button(page, "Save the key as a file").click());
  // That a download began is no file: it is opened, and another one is none.
  await open(page, "Open the saved file, to be sure", download.text.replace(/"secret": "0x../, '"secret": "0x00'));
  await page.getByText("This file holds no key for answers").waitFor();
  assert.equal(await button(page, "Sign and buy, in your wallet").count(), 0);
  await isAccessible(page, "/buy, another key's file");
  const key = await keepKey(page);
  assert.match(JSON.parse(key.text).secret, /^0x[0-9a-f]{64}$/);
  await page.getByText(/^The contract 0x/).waitFor();
  await isAccessible(page, "/buy, ready");
  await world.shoot(page, "researcher-buy");
  await button(page, "Sign and buy, in your wallet").click();
  await page.getByRole("status").getByText(/Licence \d+ is yours/).waitFor(HALF_A_MINUTE);
  await page.getByText("the cooperative counts it").waitFor();
  await isAccessible(page, "/buy, bought");
  const permit = wallet.signed.find(({ primaryType }) => primaryType === "Permit");
  assert.equal(permit.message.value, "5000000000", "no more may be taken than the price");
  const license = Number(/Licence (\d+) is yours/.exec(await page.locator("main").innerText())[1]);
  const listed = await (await fetch(`${world.gateway}/v1/licenses/${license}`)).json();
  assert.equal(listed.holder.toLowerCase(), account);
  assert.equal(listed.recipient_key, JSON.parse(key.text).public, "answers are sealed to the key that was saved");

  await page.getByRole("link", { name: `Invoice of licence ${license}` }).click();
  await page.getByText(/Paid in all: (US)?\$5,000\.00 in USDC/).waitFor(HALF_A_MINUTE);
  await page.getByLabel("Billed to").fill("University of Example\nCost centre 12");
  await isAccessible(page, "/invoice");
  await page.emulateMedia({ media: "print" });
  assert.equal(await button(page, "Print, or save as PDF").isVisible(), false);
  assert.equal(await page.getByText("Cost centre 12").last().isVisible(), true);
  await world.shoot(page, "researcher-invoice-print");
  await page.emulateMedia({ media: null });

  await visitor.open("/desk");
  const until = () => page.locator(".facts dd").first().innerText();
  await page.getByText("Valid").waitFor();
  const before = await until();
  await page.getByText(`Make licence ${license} last longer`).click();
  await page.getByLabel("For how many months longer").fill("2");
  await page.getByText("last 2 months of 30 days each longer").waitFor();
  await isAccessible(page, "/desk, extending");
  await button(page, "Sign and extend, in your wallet").click();
  await page.getByText("The licence lasts longer now").waitFor(HALF_A_MINUTE);
  await page.waitForFunction((old) => document.querySelector(".facts dd")?.textContent !== old, before);
  await world.shoot(page, "researcher-desk");
  await visitor.open(`/invoice/${license}`);
  await page.getByText(/Paid in all: (US)?\$15,000\.00 in USDC/).waitFor(HALF_A_MINUTE);
  visitor.isClean(BROKEN);
  world.researcher = visitor;
  world.kept = new Set([...(world.kept ?? []), page.context()]);
}

/** The board opens an application and signs; gives the file that it hands over. */
async function asBoard(world, account, application) {
  const board = await arrive(world, {}, { key: boardKey(world) });
  const { page, wallet } = board;
  await board.open("/ethics");
  await connect(board);
  await page.getByText("Your wallet shows the board’s account").waitFor();
  await open(page, "Open an application", "{}");
  await page.getByText("This file holds no application").waitFor();
  await open(page, "Open an application", application.replace(/"chain_id": \d+/, '"chain_id": 1'));
  await page.getByText("This application is for another cooperative").waitFor();
  // A word was changed on the way.
  await open(page, "Open an application", application.replace('"commercial": false', '"commercial": true'));
  await page.getByText("The account that it names did not sign it").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/ethics, not signed");
  await open(page, "Open an application", application);
  await page.getByText("The account that it names signed it").waitFor(HALF_A_MINUTE);
  await page.getByRole("heading", { name: "Blood pressure and sleep" }).waitFor();
  await page.getByText("None yet").first().waitFor();
  await page.getByRole("group", { name: /publish the results/ }).getByLabel("Yes").check();
  await page.locator(".words").getByText("Results are published").waitFor();
  await isAccessible(page, "/ethics");
  await world.shoot(page, "researcher-ethics");
  wallet.refuses = true;
  await button(page, "Sign the approval, in your wallet").click();
  await page.getByText("You said no in your wallet").waitFor();
  wallet.refuses = false;
  await button(page, "Sign the approval, in your wallet").click();
  await page.getByText("The approval is signed").waitFor();
  const { message } = wallet.signed.at(-1);
  assert.equal(message.protocol, '{"commercial":false,"country":"SE","notForProfit":true,"publishes":true}');
  assert.equal(message.researcher, account);
  const handed = await saved(page, () => button(page, "Save the signed approval as a file").click());
  await isAccessible(page, "/ethics, signed");
  board.isClean(BROKEN);
  await board.close();
  return handed.text;
}

/** The researcher of the first test, with a license. */
async function someone(world) {
  if (!world.researcher) await wholeWay(world);
  return world.researcher;
}

async function asks(world) {
  const visitor = await someone(world);
  const { page, wallet } = visitor;
  await visitor.open("/ask");
  const json = page.getByLabel("The same as JSON");
  await page.getByRole("heading", { name: "Before anything is spent" }).waitFor();
  await page.getByText(/(everybody who allows it|out of): (50 people or fewer, perhaps nobody|about [0-9,]+ people)/).waitFor();
  await page.getByText("How many people are there whose choice allows it?").waitFor();
  await isAccessible(page, "/ask");
  // What is no question says which field is at fault, and costs nothing.
  await page.getByLabel("Privacy loss, in zCDP (ρ)").fill("2");
  await page.getByText("rho: 2000000000 nano-zCDP is outside").waitFor();
  assert.equal(await page.getByRole("heading", { name: "Before anything is spent" }).count(), 0);
  await isAccessible(page, "/ask with a wrong question");
  // The JSON changes the form, and the form the JSON.
  const typed = { version: 1, dataset: 1, cohort: { sex: "female" }, ask: { kind: "histogram", of: { age: {} }, rows: 1, edges: [0, 25_000, 50_000, 75_000, 100_000] }, rho: 150_000_000 };
  await json.fill(JSON.stringify(typed));
  await page.getByText("How is age spread among people of female sex?").waitFor();
  assert.equal(await page.getByLabel("Edges of the steps").inputValue(), "0, 25, 50, 75, 100");
  assert.equal(await page.getByLabel("Privacy loss, in zCDP (ρ)").inputValue(), "0.15");
  await page.getByLabel("Sex", { exact: true }).selectOption("any");
  await page.waitForFunction(() => !document.querySelector(".code-area").value.includes("female"));
  const { cohort: _, ...everybody } = typed;
  assert.deepEqual(JSON.parse(await json.inputValue()), everybody);
  await page.getByText("How is age spread among people whose choice allows it?").waitFor();
  await page.getByText("Error of each step").waitFor();
  // Nothing of it is lost by a reload.
  await page.reload();
  await page.getByText("How is age spread among people whose choice allows it?").waitFor(HALF_A_MINUTE);
  await page.getByText("The same as a command, in Python or in R").click();
  await page.getByText("> query.json").first().waitFor();
  await world.shoot(page, "researcher-ask");
  await button(page, "See what I would sign").click();
  await page.locator(".words").getByText("It charges 0.15 zCDP").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/ask, before the order is signed");
  wallet.refuses = true;
  await button(page, "Sign and ask, in your wallet").click();
  await page.getByText("You said no in your wallet").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /nobody was charged/);
  wallet.refuses = false;
  await button(page, "Sign and ask, in your wallet").click();
  // The server could make one up: without its receipt on the chain none is shown.
  wallet.logs = [];
  await page.getByText("This is not shown: the chain has no receipt of it").waitFor({ timeout: 90_000 });
  assert.equal(await page.getByRole("heading", { name: "Result" }).count(), 0);
  await isAccessible(page, "an answer without a receipt");
  wallet.logs = undefined;
  await button(page, "Ask the chain again").click();
  await page.getByRole("heading", { name: "Result" }).waitFor({ timeout: 90_000 });
  await page.locator(".chart canvas").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 4, "a row for each step");
  await page.getByText("Charged to each person asked: 0.15 zCDP").waitFor();
  await isAccessible(page, "/answers");
  await world.shoot(page, "researcher-answer");
  await world.picture(page, "web-answer", { height: 1_100 });
  const table = await saved(page, () => button(page, "Save as CSV").click());
  const rows = table.text.trim().split("\r\n");
  assert.equal(rows.length, 5);
  assert.match(rows[1], /^Age below 25 \(years\),people,-?\d+,\d+(\.\d+)?,-?\d+,-?\d+$/);
  const answer = JSON.parse((await saved(page, () => button(page, "Save as JSON").click())).text);
  assert.equal(answer.answer.outcome.figures.length, 4);
  assert.equal(answer.answer.rho, 150_000_000);
  visitor.isClean(BROKEN);
}

/** Of so few people noise may have an answer withheld: that is an opened one, too. */
const answered = (page) => page.getByRole("heading", { name: "Result" }).or(page.getByText("The answer is withheld")).first();

async function asksAgain(world) {
  const visitor = await someone(world);
  const { page } = visitor;
  const charged = async () => (await (await fetch(`${world.gateway}/v1/budget`)).json()).debits;
  const before = await charged();
  await visitor.open("/ask");
  await page.getByLabel("The same as JSON").fill('{ "version": 1, "dataset": 1, "ask": { "kind": "count" }, "rho": 20000000 }');
  await page.getByText("How many people are there whose choice allows it?").waitFor();
  await button(page, "See what I would sign").click();
  await page.locator(".words").getByText("It charges 0.02 zCDP").waitFor(HALF_A_MINUTE);
  // It breaks after the signature: the order is there, and goes again.
  world.site.away();
  await button(page, "Sign and ask, in your wallet").click();
  await page.getByText("The order is kept. Sent again it is the same one").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "an order that did not arrive");
  await world.shoot(page, "researcher-broken");
  world.site.be(world.gateway);
  await page.reload();
  await answered(page).waitFor({ timeout: 90_000 });
  assert.equal(await charged(), before + 1, "charged once");
  // The same question is not paid twice by mistake.
  await visitor.open("/ask");
  await page.getByText("You have asked this under this licence already").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "a question that was asked already");
  await page.getByRole("link", { name: "See that answer" }).click();
  await answered(page).waitFor(HALF_A_MINUTE);
  visitor.isClean(BROKEN);
  // Each page with something in it.
  const answer = new URL(page.url()).pathname;
  const license = (await page.locator(".facts dd").first().innerText()).trim();
  await narrow(world, visitor, [answer, "/ask", "/desk", `/invoice/${license}`]);
}

/** Has the token house auction dataset 2 and price computations; its timelock is stood in for, so that no month has to pass. */
async function onOffer(world) {
  const { node, at } = chainOf(world);
  await rpc(node, "anvil_setBalance", [at.token_timelock, "0x56bc75e2d63100000"]);
  const [, second] = await (await fetch(`${world.gateway}/v1/datasets`)).json();
  const set = { dataType: second.data_type, source: second.source, pricePerThousand: BigInt(second.price_per_thousand), termsHash: second.terms_hash, open: true };
  const terms = { reserve: 1_000_000_000n, bidBond: 100_000_000n, commitPeriod: 86_400, revealPeriod: 172_800, records: 10, duration: 30n * 86_400n };
  await transact(world, at.token_timelock, at.auction_house, "AuctionHouse", "setTerms", [2, terms]);
  await transact(world, at.token_timelock, at.dataset_catalog, "DatasetCatalog", "publish", [2, { ...set, auctioned: true }]);
  await transact(world, at.token_timelock, at.compute_desk, "ComputeDesk", "setPrice", [20_000_000n, 50_000n]);
}

async function auctions(world) {
  await onOffer(world);
  const visitor = await arrive(world, { size: "narrow" }, { dollars: 5_000 });
  const { page, account } = visitor;
  await approve(world, account);
  await visitor.open("/auction/2");
  await connect(visitor);
  // One that a run before left open is closed first.
  const none = page.getByText("No auction is running");
  const over = button(page, "Close the auction, in your wallet");
  await none.or(over).waitFor(HALF_A_MINUTE);
  if (await over.isVisible()) await over.click();
  await none.waitFor(HALF_A_MINUTE);
  await button(page, "Open the auction, in your wallet").click();
  await page.getByLabel("Your bid in dollars").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Your bid in dollars").fill("900");
  await page.getByText("less cannot win").waitFor();
  await page.getByLabel("Your bid in dollars").fill("3000.50");
  await isAccessible(page, "/auction, before the bid is kept");
  assert.equal(await button(page, "Sign and bid, in your wallet").count(), 0, "no bid before it is saved");
  await keepKey(page);
  const bid = await saved(page, () => button(page, "Seal the bid and save it as a file").click());
  assert.equal(JSON.parse(bid.text).amount, "3000500000");
  assert.equal(await button(page, "Sign and bid, in your wallet").count(), 0, "no bid before its file was seen");
  await open(page, "Open the saved bid, to be sure", bid.text);
  await button(page, "Sign and bid, in your wallet").click();
  await page.getByText("is sealed, and has to be revealed").waitFor(HALF_A_MINUTE);
  assert.equal(visitor.wallet.signed.at(-1).message.value, "100000000", "no more than the bond may be taken");
  const event = await saved(page, () => button(page, "Save a reminder for my calendar").click());
  assert.match(event.text, /^BEGIN:VCALENDAR\r\n[\s\S]*DTSTART:\d{8}T\d{6}Z/);
  await isAccessible(page, "/auction, sealed");
  await world.shoot(page, "researcher-auction");
  await visitor.open("/desk");
  await page.getByText(/Reveal your bid in auction \d+/).waitFor(HALF_A_MINUTE);
  // The browser's data is lost: the file opens the bid.
  await page.evaluate(() => indexedDB.deleteDatabase("rochdale-research"));
  world.later("+25h");
  await visitor.open("/auction/2");
  await page.getByText("This browser does not know what you sealed").waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/auction, the bid is lost");
  await open(page, "Open the bid’s file", "{}");
  await page.getByText("This file does not hold what was sealed").waitFor();
  await open(page, "Open the bid’s file", bid.text);
  await page.getByText("becomes public, and I pay").waitFor();
  await button(page, "Sign and reveal, in your wallet").click();
  await page.getByText("Your bid is revealed.").waitFor(HALF_A_MINUTE);
  await button(page, "Close the auction, in your wallet").click();
  await page.getByText(/You won: licence \d+ for (US)?\$1,000\.00/).waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/auction, closed");
  await button(page, "Fetch it to my account").click();
  await page.getByText("It is in your account").waitFor(HALF_A_MINUTE);
  await page.getByText(/^(US)?\$4,000\.00$/).waitFor(HALF_A_MINUTE);
  await narrow(world, visitor, ["/auction/2"]);
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function computes(world) {
  await onOffer(world);
  const visitor = await arrive(world, {}, { dollars: 100 });
  const { page, account } = visitor;
  await approve(world, account);
  await visitor.open("/compute/1");
  await connect(visitor);
  await page.getByText(/^(US)?\$25\.00$/).waitFor(HALF_A_MINUTE);
  await keepKey(page);
  await page.getByText(/I put down (US)?\$25\.00 for a computing job of at most 100 units/).waitFor();
  await button(page, "Sign and put it down, in your wallet").click();
  await page.getByText(/It is under way and holds (US)?\$25\.00/).waitFor(HALF_A_MINUTE);
  await isAccessible(page, "/compute, under way");
  await world.shoot(page, "researcher-compute");
  world.later("+8d");
  await visitor.open("/compute/1");
  await button(page, "End the job, in your wallet").click(HALF_A_MINUTE);
  await page.getByText(/(US)?\$25\.00 are waiting for you/).waitFor(HALF_A_MINUTE);
  await button(page, "Fetch it to my account").click();
  await page.getByText("It is in your account").waitFor(HALF_A_MINUTE);
  await narrow(world, visitor, ["/compute/1"]);
  visitor.isClean(BROKEN);
  await visitor.close();
}

/** The same pages as they are, narrow, dark and in German. */
async function narrow(world, visitor, paths) {
  const { page } = visitor;
  await page.setViewportSize({ width: 320, height: 720 });
  await page.emulateMedia({ colorScheme: "dark" });
  await button(page, "Deutsch").click();
  await page.waitForFunction(() => localStorage.getItem("rochdale.language") === "de");
  for (const path of paths) {
    await visitor.open(path);
    if (!path.startsWith("/answers")) await page.getByRole("button", { name: "Trennen" }).waitFor();
    await page.waitForTimeout(1_000);
    await page.locator(".loading").first().waitFor({ state: "detached" });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    await fits(page, `${path}, narrow, dark, de`);
    await isAccessible(page, `${path}, narrow, dark, de`);
    await world.shoot(page, `researcher${path.slice(0, 9).replaceAll("/", "-")}-full-narrow-dark-de`);
  }
  await button(page, "English").click();
  await page.setViewportSize({ width: 1280, height: 900 });
}

/** The node fails after the purchase was sent, and the tab is reloaded. */
async function unseen(world) {
  const visitor = await arrive(world, {}, { dollars: 20_000 });
  const { page, wallet, account } = visitor;
  await approve(world, account);
  await visitor.open("/buy/1");
  await connect(visitor);
  await page.getByLabel("Records").fill("10");
  await keepKey(page);
  const buy = button(page, "Sign and buy, in your wallet");
  wallet.before = (method) => {
    if (method === "eth_getTransactionReceipt") throw Object.assign(new Error("no node"), { code: -32603 });
  };
  await buy.click();
  await page.getByText("Waiting until the chain has taken it").waitFor(HALF_A_MINUTE);
  await page.reload();
  await page.getByText("Sent from this browser, and not confirmed here yet").waitFor(HALF_A_MINUTE);
  assert.equal(await buy.count(), 0, "it cannot be bought again");
  await isAccessible(page, "/buy, with a purchase that was not confirmed");
  wallet.before = undefined;
  // Of all records that are published it may cost more than there is.
  await page.getByLabel("Records").fill("10", HALF_A_MINUTE);
  await buy.waitFor(HALF_A_MINUTE);
  await visitor.open("/desk");
  await page.getByText("Valid").waitFor(HALF_A_MINUTE);
  assert.equal(await page.getByRole("heading", { name: /^Licence \d+$/ }).count(), 1, "one license");
  // The wallet fails when it is asked to send, and does not say whether it did.
  wallet.before = (method) => {
    if (method === "eth_sendTransaction") throw Object.assign(new Error("timeout"), { code: -32603 });
  };
  await visitor.open("/buy/1");
  await page.getByLabel("Records").fill("10");
  await buy.click();
  await page.getByText("It may have been sent").waitFor(HALF_A_MINUTE);
  assert.equal(await page.getByText("Nothing was paid").count(), 0);
  assert.equal(await buy.count(), 0);
  await isAccessible(page, "/buy, perhaps sent");
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function refused(world) {
  const visitor = await arrive(world);
  const { page, wallet, account } = visitor;
  const { at } = chainOf(world);
  await visitor.open("/buy/1");
  await connect(visitor);
  await page.getByText("You are not approved for this purpose").waitFor();
  await page.getByText("The account has too little USDC").waitFor();
  await isAccessible(page, "/buy, not approved and poor");
  await world.shoot(page, "researcher-poor");
  assert.equal(await button(page, "Sign and buy, in your wallet").count(), 0);
  await approve(world, account);
  await fund(world, account, 20_000);
  await page.reload();
  await page.getByText("You are approved for it").waitFor();
  await page.getByLabel("Records").fill("10");
  await keepKey(page);
  const buy = button(page, "Sign and buy, in your wallet");
  for (const method of ["eth_signTypedData_v4", "eth_sendTransaction"]) {
    wallet.refuses = method;
    await buy.click();
    await page.getByText("You said no in your wallet").waitFor(HALF_A_MINUTE);
    assert.match(await page.getByRole("alert").innerText(), /Nothing was paid/);
    assert.equal(await page.getByRole("alert").count(), 1);
    await isAccessible(page, `refused: ${method}`);
  }
  // The chain changes after the page was shown, before the wallet tells of it.
  wallet.refuses = false;
  wallet.before = (method) => void (method === "eth_chainId" && (wallet.chain = 1));
  await buy.click();
  await page.getByText("Your wallet is on another chain by now").waitFor(HALF_A_MINUTE);
  wallet.before = undefined;
  wallet.chain = 31337;
  // The token house sets another price while the page is open; its timelock is stood in for, so that no month has to pass.
  const set = { dataType: 1, source: 1, termsHash: (await (await fetch(`${world.gateway}/v1/datasets`)).json())[0].terms_hash, open: true, auctioned: false };
  await rpc(chainOf(world).node, "anvil_setBalance", [at.token_timelock, "0x56bc75e2d63100000"]);
  const price = (micro) => transact(world, at.token_timelock, at.dataset_catalog, "DatasetCatalog", "publish", [1, { ...set, pricePerThousand: micro }]);
  await price(110_000_000_000n);
  try {
    const before = wallet.signed.length;
    await buy.click();
    await page.getByText("The price has changed").waitFor(HALF_A_MINUTE);
    assert.equal(wallet.signed.length, before, "nothing was signed for another price");
    await page.getByText(/10 records × (US)?\$110,000\.00/).waitFor(HALF_A_MINUTE);
    await isAccessible(page, "another price");
  } finally {
    await price(100_000_000_000n);
  }
  // With another account in the wallet, nothing is gone on with.
  await wallet.tell("accountsChanged", ["0x000000000000000000000000000000000000dEaD"]);
  await page.getByText("The account has too little USDC").waitFor();
  assert.equal(await buy.count(), 0);
  assert.equal((await (await fetch(`${world.gateway}/v1/licenses`)).json()).some(({ holder }) => holder.toLowerCase() === account), false, "nothing was bought");
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function otherContracts(world) {
  const visitor = await arrive(world);
  const { page } = visitor;
  await visitor.open("/desk");
  await connect(visitor);
  await page.evaluate(() => {
    const seen = JSON.parse(localStorage.getItem("rochdale.contracts"));
    localStorage.setItem("rochdale.contracts", JSON.stringify({ ...seen, addresses: { ...seen.addresses, market: `0x${"9".repeat(40)}` } }));
  });
  await visitor.open("/buy/1");
  await page.getByText("This site shows other contracts than before").waitFor();
  await isAccessible(page, "other contracts");
  assert.equal(await page.getByText("What it costs").count(), 0);
  await button(page, "I have asked, and it is right").click();
  await page.getByText("What it costs").waitFor();
  visitor.isClean();
  await visitor.close();
}

/** A new visitor whose device has passkeys, and who makes one for research. */
async function arriveByPasskey(world) {
  const visitor = await visit(world.browser, world.site);
  const { page } = visitor;
  const device = await deviceOf(page);
  await visitor.open("/request");
  await page.getByText("There is no wallet in this browser").waitFor();
  await page.getByText("you have to believe it").waitFor();
  await isAccessible(page, "/request, before a passkey is made");
  await world.shoot(page, "researcher-passkey");
  await button(page, "Make a passkey on this device").click();
  await page.getByText("By passkey, as the cooperative’s server shows the chain").waitFor(HALF_A_MINUTE);
  const account = (await page.locator(".wallet .code").innerText()).trim().toLowerCase();
  assert.match(account, /^0x[0-9a-f]{40}$/);
  return { ...visitor, device, account };
}

/** Somebody else, who sends what the account itself must not: an address that sent anything is nowhere to create an account at. */
async function payerOf(world) {
  world.payer ??= privateKeyToAccount(generatePrivateKey()).address;
  await fund(world, world.payer, 0);
  return world.payer;
}

const mint = async (world, account, dollars) => transact(world, await payerOf(world), chainOf(world).at.usdc, "TestUSDC", "mint", [account, BigInt(dollars) * 1_000_000n]);

/** What the account does is paid for by the gateway: nobody sends the chain's coin to it. */
async function byPasskey(world) {
  const visitor = await arriveByPasskey(world);
  const { page, device, account } = visitor;
  await page.getByRole("row", { name: /Health and medical research/ }).getByText("Not approved").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Title of the study").fill("Blood pressure and sleep");
  await page.getByLabel("What you want to find out, and how").fill("Whether people who sleep little have a higher blood pressure.");
  await page.getByLabel("Who you are, and how to reach you").fill("Lin, lin@example.org");
  await page.getByRole("group", { name: /not-for-profit/ }).getByLabel("Yes").check();
  await page.getByRole("group", { name: /end commercial/ }).getByLabel("No", { exact: true }).check();
  let prompts = device.prompts();
  const application = await saved(page, () => button(page, "Sign the application and save it as a file").click());
  assert.equal(device.prompts() - prompts, 1);
  assert.equal(JSON.parse(application.text).researcher, account);
  await isAccessible(page, "/request, by passkey");
  await approvedByBoard(world, application.text);
  await page.getByRole("row", { name: /Health and medical research/ }).getByText("Approved", { exact: true }).waitFor(HALF_A_MINUTE);
  // It is the same after a reload, and another browser's page takes it by its address once it is there.
  await page.reload();
  await page.getByText(account).waitFor(HALF_A_MINUTE);

  await mint(world, account, 2_000);
  await visitor.open("/buy/1");
  await page.getByText("You are approved for it").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Records").fill("10");
  await page.getByText("Paid by the cooperative").waitFor();
  const key = await keepKey(page);
  await page.getByText("may take exactly", { exact: false }).waitFor();
  await isAccessible(page, "/buy, by passkey");
  await world.shoot(page, "researcher-passkey-buy");
  prompts = device.prompts();
  await button(page, "Buy, with your passkey").click();
  await page.getByRole("status").getByText(/Licence \d+ is yours/).waitFor({ timeout: 90_000 });
  assert.equal(device.prompts() - prompts, 1, "one prompt for the allowance and the purchase");
  await page.getByText("the cooperative counts it").waitFor();
  const license = Number(/Licence (\d+) is yours/.exec(await page.locator("main").innerText())[1]);
  const listed = await (await fetch(`${world.gateway}/v1/licenses/${license}`)).json();
  assert.deepEqual([listed.holder.toLowerCase(), listed.recipient_key], [account, JSON.parse(key.text).public]);
  const { node, at } = chainOf(world);
  assert.equal(await rpc(node, "eth_getBalance", [account, "latest"]), "0x0", "the account pays no fee");
  const left = await rpc(node, "eth_call", [{ to: at.usdc, data: encodeFunctionData({ abi: abi("TestUSDC"), functionName: "allowance", args: [account, at.market] }) }, "latest"]);
  assert.equal(BigInt(left), 0n, "nothing is left allowed");
  await visitor.open(`/invoice/${license}`);
  await page.getByText(/Paid in all: (US)?\$1,000\.00 in USDC/).waitFor(HALF_A_MINUTE);

  await visitor.open("/ask");
  await page.getByLabel("The same as JSON").fill('{ "version": 1, "dataset": 1, "ask": { "kind": "count" }, "rho": 20000000 }');
  await page.getByText("How many people are there whose choice allows it?").waitFor(HALF_A_MINUTE);
  await button(page, "See what I would sign").click();
  await page.locator(".words").getByText("It charges 0.02 zCDP").waitFor(HALF_A_MINUTE);
  prompts = device.prompts();
  await button(page, "Ask, with your passkey").click();
  await answered(page).waitFor({ timeout: 120_000 });
  await page.getByText("Charged to each person asked: 0.02 zCDP").waitFor();
  assert.equal(device.prompts() - prompts, 1);
  await isAccessible(page, "/answers, by passkey");
  await world.shoot(page, "researcher-passkey-answer");
  visitor.isClean(BROKEN);

  // A browser that knows nothing takes the account by its address, once the device shows that it has its passkey.
  await page.evaluate(() => localStorage.clear());
  await visitor.open("/desk");
  await page.getByText("I have such an account already").click();
  await page.getByLabel("The account’s address").fill(`0x${"9".repeat(40)}`);
  await button(page, "Use this account").click();
  await page.getByText("The cooperative does not send this for you").waitFor(HALF_A_MINUTE);
  await page.getByLabel("The account’s address").fill(account);
  await button(page, "Use this account").click();
  await page.getByText("By passkey, as the cooperative’s server shows the chain").waitFor(HALF_A_MINUTE);
  await page.getByText("Valid").waitFor(HALF_A_MINUTE);
  await narrow(world, visitor, ["/desk", "/request", "/buy/1"]);
  await visitor.close();
}

/** The board reads that the account signed it, though it is not on the chain yet, and sends the approval itself. */
async function approvedByBoard(world, application) {
  const board = await arrive(world, {}, { key: boardKey(world) });
  const { page } = board;
  await board.open("/ethics");
  await connect(board);
  await page.getByText("Your wallet shows the board’s account").waitFor();
  await open(page, "Open an application", application.replace('"commercial": false', '"commercial": true'));
  await page.getByText("The account that it names did not sign it").waitFor(HALF_A_MINUTE);
  await open(page, "Open an application", application);
  await page.getByText("The account that it names signed it").waitFor(HALF_A_MINUTE);
  await button(page, "Sign the approval, in your wallet").click();
  await page.getByText("The approval is signed").waitFor();
  await button(page, "Send it to the contract now").click();
  await page.getByText("The chain has the approval").waitFor(HALF_A_MINUTE);
  board.isClean(BROKEN);
  await board.close();
}

async function passkeyRefused(world) {
  const visitor = await arriveByPasskey(world);
  const { page, device, account } = visitor;
  await approve(world, account, 6, 3, await payerOf(world));
  await visitor.open("/buy/1");
  await page.getByLabel("Records").fill("10");
  await page.getByText("The account has too little USDC").waitFor(HALF_A_MINUTE);
  const buy = button(page, "Buy, with your passkey");
  assert.equal(await buy.count(), 0);
  await mint(world, account, 5_000);
  await page.reload();
  await page.getByText("You are approved for it").waitFor(HALF_A_MINUTE);
  await page.getByLabel("Records").fill("10");
  await keepKey(page);
  const isNothing = async (said) => {
    await buy.click();
    await page.getByText(said).waitFor(HALF_A_MINUTE);
    assert.match(await page.getByRole("alert").innerText(), /Nothing was paid/);
    await isAccessible(page, said);
  };
  const credentials = await device.credentials();
  await device.lose();
  await isNothing("Your device did not confirm");
  await device.take(credentials);
  const refuse = (status, code) => page.context().route("**/v1/accounts/execute", (route) => route.fulfill({ status, contentType: "application/problem+json", body: JSON.stringify({ type: "about:blank", title: code, status, code, detail: "a test refuses" }) }));
  for (const [status, code, said] of [
    [403, "forbidden", "The cooperative does not send this for you"],
    [429, "too_many_requests", "Too much was asked in a short time"],
  ]) {
    await refuse(status, code);
    await isNothing(said);
    await page.context().unroute("**/v1/accounts/execute");
  }
  // Money went elsewhere since the page was shown: the contract's refusal is told before the device asks.
  const { at } = chainOf(world);
  await rpc(chainOf(world).node, "anvil_setBalance", [account, "0x56bc75e2d63100000"]);
  await transact(world, account, at.usdc, "TestUSDC", "transfer", [at.treasury, 4_500_000_000n]);
  const prompts = device.prompts();
  await buy.click();
  await page.getByText("The account has too little USDC").waitFor(HALF_A_MINUTE);
  assert.equal(device.prompts(), prompts, "nothing was signed");
  await mint(world, account, 4_500);
  // The server breaks off after it was sent: that may have been, and is not told as unpaid.
  await page.reload();
  await page.getByLabel("Records").fill("10");
  await page.context().route("**/v1/accounts/execute", (route) => route.abort());
  await buy.click();
  await page.getByText("It may have been sent").waitFor(HALF_A_MINUTE);
  assert.equal(await page.getByText("Nothing was paid").count(), 0);
  assert.equal(await buy.count(), 0);
  await page.context().unroute("**/v1/accounts/execute");
  // An approval that the board ended is seen before anything is signed; its time running out is the gateway's own test.
  await approve(world, account, 6, 0, await payerOf(world));
  await page.reload();
  await page.getByText("You are not approved for this purpose").waitFor(HALF_A_MINUTE);
  assert.equal(await buy.count(), 0);
  assert.equal((await (await fetch(`${world.gateway}/v1/licenses`)).json()).some(({ holder }) => holder.toLowerCase() === account), false, "nothing was bought");
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function byKeyboard(world) {
  const visitor = await arrive(world, { size: "narrow" }, { dollars: 1_000_000 });
  const { page, account } = visitor;
  const press = async (text) => {
    await tabTo(page, text);
    await page.keyboard.press("Enter");
  };
  await approve(world, account);
  await visitor.open("/datasets/1");
  await press("Buy a licence");
  await button(page, "Connect Test wallet").waitFor();
  await press("Connect Test wallet");
  await page.getByText("You are approved for it").waitFor();
  await page.getByText("Save the key and open its file first").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), press("Save the key as a file")]);
  assert.match(download.suggestedFilename(), /^answer-key-/);
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), press("Open the saved file, to be sure")]);
  await chooser.setFiles(await download.path());
  await button(page, "Sign and buy, in your wallet").waitFor();
  await press("Sign and buy, in your wallet");
  await page.getByText(/Licence \d+ is yours/).waitFor(HALF_A_MINUTE);
  await press("All my licences");
  await page.getByRole("heading", { level: 1, name: "My licences" }).waitFor();
  await page.getByText("Valid").waitFor(HALF_A_MINUTE);
  visitor.isClean(BROKEN);
  await visitor.close();
}

async function looks(world, look) {
  const visitor = await arrive(world, look, { dollars: 10_000 });
  const { page, account } = visitor;
  await approve(world, account);
  let isConnected = false;
  for (const path of ["/request", "/buy/1", "/desk", "/ethics"]) {
    await visitor.open(path);
    if (!isConnected) await connect(visitor);
    isConnected = true;
    await page.getByRole("button", { name: /^(Disconnect|Trennen)$/ }).waitFor();
    await page.locator(".loading").first().waitFor({ state: "detached" });
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    const where = `${path}, connected, ${Object.values(look).join(", ")}`;
    await fits(page, where);
    await isAccessible(page, where);
    await world.shoot(page, `researcher${path.replaceAll("/", "-")}-${Object.values(look).join("-")}`);
  }
  visitor.isClean();
  await visitor.close();
}
