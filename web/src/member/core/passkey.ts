//! The passkey: made, and asked for. Nothing here knows what is agreed to; who calls shows it first.
import { base64url, bytesOfBase64url, bytesOfHex, type Hex, hexOf } from "./bytes";

/**
 * `cancelled`: closed, or too late; browsers do not tell which. `absent`: this browser or device has no passkeys. `known`: there is one here
 * already. `strange`: what came is not what was asked for.
 */
export class PasskeyFailure extends Error {
  constructor(
    readonly kind: "cancelled" | "absent" | "known" | "strange",
    detail: string,
  ) {
    super(detail);
    this.name = "PasskeyFailure";
  }
}

export interface Passkey {
  readonly credential: string;
  readonly qx: Hex;
  readonly qy: Hex;
  /** Whether it can open the locker; some passkeys cannot, and the recovery code does in their place. */
  readonly opens: boolean;
}

export interface Asserted {
  readonly credential: string;
  readonly assertion: { readonly client_data_json: string; readonly authenticator_data: Hex; readonly signature: Hex };
  /** The door's secret, where the passkey can give one. */
  readonly door: Hex | undefined;
}

const SALT = new TextEncoder().encode("rochdale locker");
const ES256 = -7;
/** Longer than people take, shorter than what they are shown holds. */
const PATIENCE = 300_000;

/** One prompt. `name` is what the device shows in its list of passkeys. */
export async function create(name: string): Promise<Passkey> {
  const made = await attempt(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: window.location.hostname, name },
        user: { id: crypto.getRandomValues(new Uint8Array(32)), name, displayName: name },
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        attestation: "none",
        timeout: PATIENCE,
        extensions: { prf: {} },
      },
    }),
  );
  const { response, rawId } = made;
  if (!(response instanceof AuthenticatorAttestationResponse)) throw new PasskeyFailure("strange", "no attestation");
  const { qx, qy } = pointOf(response.getPublicKey());
  return { credential: base64url(rawId), qx, qy, opens: made.getClientExtensionResults().prf?.enabled === true };
}

/** One prompt. `challenge` is what is agreed to; without a `credential`, the device offers those that it has. */
export async function ask(challenge: Hex, credential?: string): Promise<Asserted> {
  const given = await attempt(() =>
    navigator.credentials.get({
      publicKey: {
        rpId: window.location.hostname,
        challenge: bytesOfHex(challenge),
        allowCredentials: credential ? [{ type: "public-key", id: bytesOfBase64url(credential) }] : [],
        userVerification: "required",
        timeout: PATIENCE,
        extensions: { prf: { eval: { first: SALT } } },
      },
    }),
  );
  const { response, rawId } = given;
  if (!(response instanceof AuthenticatorAssertionResponse)) throw new PasskeyFailure("strange", "no assertion");
  const first = given.getClientExtensionResults().prf?.results?.first;
  return {
    credential: base64url(rawId),
    assertion: {
      client_data_json: new TextDecoder().decode(response.clientDataJSON),
      authenticator_data: hexOf(response.authenticatorData),
      signature: hexOf(response.signature),
    },
    door: first && hexOf(first instanceof ArrayBuffer ? first : new Uint8Array(first.buffer, first.byteOffset, first.byteLength)),
  };
}

/** A challenge that nothing is agreed to with: for looking which passkey is here. */
export const anyChallenge = (): Hex => hexOf(crypto.getRandomValues(new Uint8Array(32)));

/** SubjectPublicKeyInfo of P-256 ends with the uncompressed point. */
export function pointOf(spki: ArrayBuffer | null): { qx: Hex; qy: Hex } {
  const point = spki && new Uint8Array(spki).slice(-65);
  if (point?.length !== 65 || point[0] !== 4) throw new PasskeyFailure("strange", "no P-256 key");
  return { qx: hexOf(point.slice(1, 33)), qy: hexOf(point.slice(33)) };
}

async function attempt(act: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!("PublicKeyCredential" in window)) throw new PasskeyFailure("absent", "no PublicKeyCredential");
  const credential = await act().catch((error: unknown) => Promise.reject(failureOf(error)));
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyFailure("strange", "no public key credential");
  return credential;
}

const KINDS: Record<string, PasskeyFailure["kind"]> = {
  NotAllowedError: "cancelled",
  AbortError: "cancelled",
  InvalidStateError: "known",
  NotSupportedError: "absent",
  ConstraintError: "absent",
  SecurityError: "absent",
};

export function failureOf(error: unknown): PasskeyFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return new PasskeyFailure(KINDS[name] ?? "strange", `${name}: ${message}`);
}
