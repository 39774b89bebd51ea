// A certified OpenID provider (npm oidc-provider) for the tests, on a port of its own. Prints its issuer when it listens and
// ends with its standard input. Whoever asks is signed in as "anna" by two forms, as people would see them.
// Arguments: redirect address, client id, client secret.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.VESTIBULE_OIDC_PROVIDER}/package.json`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);
const [redirect, id, secret] = process.argv.slice(2);

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: id, client_secret: secret, redirect_uris: [redirect], grant_types: ["authorization_code", "refresh_token"],
    post_logout_redirect_uris: [redirect.replace(/callback$/, "logout")],
    backchannel_logout_uri: redirect.replace(/callback$/, "backchannel-logout"), backchannel_logout_session_required: true,
  }],
  issueRefreshToken: async () => true,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: `${sub}@corp.example`, email_verified: true, name: "Anna Berg", preferred_username: sub }),
  }),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, backchannelLogout: { enabled: true } },
});
server.on("request", provider.callback());
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(issuer);
