// Runs the feature files of a folder: node run.mjs FOLDER, what it needs to know as JSON on stdin.
//
// `{ issuer, container, alice: { webid, id, secret }, bob: {...} }`. One line of JSON per scenario
// goes to stdout: `{ feature, name, outcome, why }`.

import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { runInNewContext } from 'node:vm'
import { AstBuilder, GherkinClassicTokenMatcher, Parser } from '@cucumber/gherkin'
import { IdGenerator } from '@cucumber/messages'
import { Client } from './people.mjs'
import { resourcesOf } from './resources.mjs'
import { CannotTell, Scenario } from './scenario.mjs'

const SKIPPED = ['acp', 'http-redirect']
const folder = resolve(process.argv[2])
const only = process.argv[3] ?? ''
const wish = JSON.parse(await text(process.stdin))

const known = new Map()
function featureOf(file) {
  if (!known.has(file)) {
    const parser = new Parser(new AstBuilder(IdGenerator.uuid()), new GherkinClassicTokenMatcher())
    known.set(file, parser.parse(readFileSync(file, 'utf8')).feature)
  }
  return known.get(file)
}

const clients = {}
for (const name of ['alice', 'bob']) clients[name] = new Client({ issuer: wish.issuer, ...wish[name] })
const { Container, Resource } = resourcesOf(clients.alice)
const root = new Container(`${wish.container}features-${randomUUID()}/`).instantiate()
const webIds = { alice: wish.alice.webid, bob: wish.bob.webid }
const world = { Container, Resource, clients, featureOf, root, webIds }

const tell = (feature, name, outcome, why) => console.log(JSON.stringify({ feature, name, outcome, why }))
const tagsOf = ({ tags }) => tags.map(({ name }) => name.slice(1))

/** The rows of examples: each has values to put into texts, and variables. */
function* rowsOf(file, { examples }, once) {
  if (examples.length === 0) yield { shown: {}, variables: {} }
  for (const { tableHeader, tableBody } of examples) {
    const heads = tableHeader.cells.map(({ value }) => value)
    if (tableBody.length === 0) {
      for (const value of new Scenario(world, file, once).value(heads[0])) yield { shown: value, variables: value }
    }
    for (const { cells } of tableBody) {
      const shown = {}
      const variables = {}
      heads.forEach((head, place) => {
        const name = head.replace(/!$/, '')
        if (name === '') return
        shown[name] = cells[place].value
        variables[name] = head.endsWith('!') ? runInNewContext(`(${cells[place].value})`) : cells[place].value
      })
      yield { shown, variables }
    }
  }
}

const filler = (shown) => (template) =>
  template.replace(/<([\w-]+)>/g, (whole, name) => {
    if (!(name in shown)) return whole
    return typeof shown[name] === 'string' ? shown[name] : JSON.stringify(shown[name])
  })

function runScenario(file, feature, scenario, tags, background, once) {
  if (tags.includes('ignore')) return tell(feature, scenario.name, 'untested')
  if (SKIPPED.some((tag) => tags.includes(tag))) return tell(feature, scenario.name, 'inapplicable')
  for (const { shown, variables } of rowsOf(file, scenario, once)) {
    const fill = filler(shown)
    const name = fill(scenario.name)
    const run = new Scenario(world, file, once, variables)
    try {
      run.play(background)
      run.play(scenario.steps, fill)
      tell(feature, name, 'passed')
    } catch (error) {
      const outcome = error instanceof CannotTell ? 'cannot tell' : 'failed'
      tell(feature, name, outcome, String(error.message).slice(0, 400))
    }
  }
}

function runFeature(file) {
  const feature = featureOf(file)
  const tags = tagsOf(feature)
  if (tags.includes('ignore')) return
  const once = new Map()
  const background = feature.children.find((part) => part.background)?.background.steps ?? []
  for (const { scenario } of feature.children) {
    if (!scenario || tagsOf(scenario).includes('setup')) continue
    runScenario(file, relative(folder, file), scenario, [...tags, ...tagsOf(scenario)], background, once)
  }
}

const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.feature')).sort()
for (const name of files) if (name.includes(only)) runFeature(join(folder, name))
root.delete()
process.exit(0)
