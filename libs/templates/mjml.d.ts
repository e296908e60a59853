/** As far as we use it: the library has no types of its own. */
declare module 'mjml-core' {
  /** CommonJS, made from an ES module: its default stands in a member of that name. */
  const mjml: {
    default: (
      source: string,
      options: { presets: unknown[]; validationLevel: 'soft'; ignoreIncludes: true },
    ) => Promise<{ html: string; errors: { line: number; message: string }[] }>;
  };
  export default mjml;
}
declare module 'mjml-preset-core' {
  const preset: unknown;
  export default preset;
}
