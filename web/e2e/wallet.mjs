// A wallet in a page, as an extension would be there: it tells of itself by EIP-6963, signs with a key of the test's, and asks a node about the rest.
import { createPublicClient, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const refusal = { code: 4001, message: "User rejected the request." };

/** Puts a wallet into all pages of a context. `knows`: the chains that it has nodes of; `chain`: where it begins. */
export async function walletIn(page, { key, node, chain = 31337, knows = [chain], name = "Test wallet" }) {
  const account = privateKeyToAccount(key);
  const client = createPublicClient({ transport: http(node) });
  const wallet = { account, chain, knows: [...knows], refuses: false, isLocked: false, asked: [], signed: [], held: undefined };

  const HANDLED = {
    // A node that knows of no events, where a test says so.
    eth_getLogs: (params) => wallet.logs ?? forward(node, wallet, "eth_getLogs", params),
    eth_chainId: () => `0x${wallet.chain.toString(16)}`,
    eth_accounts: () => (wallet.isLocked ? [] : [account.address]),
    eth_requestAccounts: () => (wallet.isLocked ? fail({ code: 4100, message: "locked" }) : [account.address]),
    wallet_switchEthereumChain: ([{ chainId }]) => {
      if (!wallet.knows.includes(Number(chainId))) fail({ code: 4902, message: "Unrecognized chain ID." });
      wallet.chain = Number(chainId);
      return null;
    },
    wallet_addEthereumChain: ([{ chainId }]) => void wallet.knows.push(Number(chainId)),
    eth_signTypedData_v4: ([, text]) => {
      const { domain, primaryType, message, types } = JSON.parse(text);
      const { EIP712Domain: _, ...fields } = types;
      wallet.signed.push({ primaryType, message });
      return account.signTypedData({ domain, types: fields, primaryType, message });
    },
    eth_sendTransaction: async ([{ to, data, gas }]) => {
      const [nonce, fees] = await Promise.all([client.getTransactionCount({ address: account.address, blockTag: "pending" }), client.estimateFeesPerGas()]);
      const serializedTransaction = await account.signTransaction({ type: "eip1559", chainId: wallet.chain, to, data, gas: BigInt(gas), nonce, ...fees });
      const hash = await client.sendRawTransaction({ serializedTransaction });
      wallet.sent = hash;
      return hash;
    },
  };
  const PROMPTS = ["eth_requestAccounts", "eth_signTypedData_v4", "eth_sendTransaction", "wallet_switchEthereumChain", "wallet_addEthereumChain"];

  await page.context().exposeFunction("askTestWallet", async (method, params) => {
    wallet.asked.push(method);
    try {
      if (PROMPTS.includes(method) && (wallet.refuses === true || wallet.refuses === method)) fail(refusal);
      await wallet.before?.(method);
      return { told: HANDLED[method] ? await HANDLED[method](params ?? []) : await forward(node, wallet, method, params) };
    } catch (error) {
      return { error: { code: error.code ?? -32603, message: error.message, data: error.data } };
    }
  });
  await page.context().addInitScript((shown) => {
    const heard = new Map();
    const provider = {
      request: async ({ method, params }) => {
        const { told, error } = await window.askTestWallet(method, params);
        if (!error) return told;
        throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
      },
      on: (event, listen) => heard.set(event, [...(heard.get(event) ?? []), listen]),
      removeListener: (event, listen) => heard.set(event, (heard.get(event) ?? []).filter((one) => one !== listen)),
    };
    window.tellTestWallet = (event, value) => (heard.get(event) ?? []).forEach((listen) => listen(value));
    const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' rx='2' fill='%230b5351'/%3E%3C/svg%3E";
    const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info: { uuid: crypto.randomUUID(), name: shown, icon, rdns: "org.example.test" }, provider }) }));
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  }, name);
  /** The owner chooses another account or chain in the wallet. */
  wallet.tell = (event, value) => page.evaluate(([name, told]) => window.tellTestWallet(name, told), [event, value]);
  return wallet;
}

function fail(error) {
  throw Object.assign(new Error(error.message), error);
}

/** Whatever a wallet asks its node, on the chain that it is on. */
async function forward(node, wallet, method, params) {
  if (wallet.chain !== 31337) fail({ code: 4901, message: "no node of that chain" });
  return rpc(node, method, params ?? []);
}

export async function rpc(node, method, params = []) {
  const answer = await fetch(node, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const { result, error } = await answer.json();
  if (error) fail(error);
  return result;
}
