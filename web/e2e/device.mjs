// A device with passkeys: Chromium's virtual authenticator, and what it keeps carried to another device.
import assert from "node:assert/strict";

/** Gives the device of a page; whoever holds it confirms at once. */
export async function deviceOf(page, { hasPrf = true } = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable", { enableUI: false });
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, hasPrf, automaticPresenceSimulation: true };
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", { options });
  let prompts = 0;
  for (const event of ["WebAuthn.credentialAdded", "WebAuthn.credentialAsserted"]) session.on(event, () => (prompts += 1));
  return {
    /** How often the device was asked. */
    prompts: () => prompts,
    credentials: async () => (await session.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    take: async (credentials) => {
      for (const credential of credentials) await session.send("WebAuthn.addCredential", { authenticatorId, credential });
    },
    lose: () => session.send("WebAuthn.clearCredentials", { authenticatorId }),
  };
}

/** Passkeys on another device. Chromium does not hand over what they open lockers with: there they open none at first. */
export async function carry(from, to) {
  const credentials = await from.credentials();
  assert.ok(credentials.length > 0, "there is a passkey to carry");
  await to.take(credentials);
}
