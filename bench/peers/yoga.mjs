/** GraphQL Yoga as it comes, on the product's schema and reads. */
import { createServer } from 'node:http';
import { createYoga } from 'graphql-yoga';
import { openProduct } from './product.ts';

const { schema, context } = await openProduct();
const yoga = createYoga({
  schema,
  logging: false,
  graphiql: false,
  landingPage: false,
  context: async ({ req }) => ({ product: await context(req.headers) }),
  // Yoga hands on a copy of what is in a context, without its class.
  plugins: [
    {
      onExecute({ executeFn, setExecuteFn }) {
        setExecuteFn((args) => executeFn({ ...args, contextValue: args.contextValue.product }));
      },
    },
  ],
});
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
