import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { openApiDocument } from '../docs/openapi.js';
import { docsPage } from '../docs/page.js';
import { type ApiParts, PARTS } from '../tokens.js';

/** The page has no script and loads nothing. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The contract, for programs and for people; both made once, when first asked for. */
@Controller('docs')
export class DocsController {
  private made: { json: string; page: string } | null = null;

  constructor(@Inject(PARTS) private readonly parts: Pick<ApiParts, 'version'>) {}

  @Get('json')
  json(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.type('application/json; charset=utf-8');
    return this.docs().json;
  }

  @Get()
  page(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY);
    return this.docs().page;
  }

  private docs(): { json: string; page: string } {
    if (this.made === null) {
      const document = openApiDocument(this.parts.version);
      this.made = { json: JSON.stringify(document), page: docsPage(document) };
    }
    return this.made;
  }
}
