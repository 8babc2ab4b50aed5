/** Prints the API description; `npm run codegen` keeps it in docs/openapi.json. */
import { buildGatewaySchema } from '../schema/build-schema.ts';
import { openApi } from './openapi.ts';

process.stdout.write(`${JSON.stringify(openApi(await buildGatewaySchema()), null, 2)}\n`);
