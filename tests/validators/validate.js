// What two public validators say of state machine documents: `node validate.js FILE…` prints one JSON object,
// {file name: {validator: [message, …]}}.
"use strict";

const fs = require("fs");
const path = require("path");
const aslValidator = require("asl-validator");
const languageService = require("amazon-states-language-service");

async function opinions(file) {
  const text = fs.readFileSync(file, "utf8");
  const found = aslValidator(JSON.parse(text), { checkPaths: true, checkArn: true });
  const service = languageService.getLanguageService({});
  const document = languageService.TextDocument.create(`file://${path.resolve(file)}`, "asl", 1, text);
  const diagnostics = await service.doValidation(document, service.parseJSONDocument(document));
  return {
    "asl-validator": found.errors.map((error) => `${error["Error code"]}: ${error.Message}`),
    "amazon-states-language-service": diagnostics.map(
      (one) => `${document.getText(one.range).split("\n")[0]}: ${one.message}`,
    ),
  };
}

(async () => {
  const all = {};
  for (const file of process.argv.slice(2)) {
    all[path.basename(file)] = await opinions(file);
  }
  process.stdout.write(JSON.stringify(all));
})();
