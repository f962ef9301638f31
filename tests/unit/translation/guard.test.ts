import { describe, expect, test } from 'vitest';
import type { Language } from '@core/transcript/types.ts';
import { flawOf } from '@core/translation/guard.ts';

type Row = readonly [from: Language, to: Language, source: string, translation: string];

describe('a sound translation passes', () => {
  test.each<Row>([
    // Short ones, and those that are the same in both.
    ['en', 'es', 'No.', 'No.'],
    ['en', 'fr', 'OK.', 'OK.'],
    ['en', 'es', 'Maria Garcia?', '¿María García?'],
    ['en', 'fr', 'Marie Dupont, Lyon.', 'Marie Dupont, Lyon.'],
    ['es', 'en', '2024.', '2024.'],
    ['en', 'zh', 'Yes.', '是的。'],
    ['zh', 'en', '嗯。', 'Mm-hmm.'],
    ['zh', 'fr', '请关门。', "Fermez la porte, s'il vous plaît."],
    ['fr', 'es', 'Bon week-end!', '¡Que tengas un buen fin de semana!'],
    [
      'en',
      'es',
      'Anna, Maria, Peter, Carlos, Laura and Julia.',
      'Anna, Maria, Peter, Carlos, Laura y Julia.',
    ],
    ['en', 'fr', '...', '...'],
    // What is said again and again in the source.
    ['en', 'es', 'No, no, no, no.', 'No, no, no, no, no.'],
    ['en', 'zh', 'Very, very, very, very, very good.', '非常非常非常非常非常好。'],
    ['es', 'en', 'Ja ja ja ja ja ja ja ja ja.', 'Ha ha ha ha ha ha ha ha ha.'],
    [
      'en',
      'es',
      'The more you ask, the more you learn, the more you earn.',
      'Cuanto más preguntas, más aprendes, más ganas.',
    ],
    // Numbers in the form of the other language.
    ['en', 'es', 'It cost 1,000 dollars.', 'Costó 1.000 dólares.'],
    ['en', 'fr', 'It cost 12,500 dollars.', 'Cela a coûté 12 500 dollars.'],
    ['fr', 'en', 'La réunion est à 14 h 30.', 'The meeting is at 2:30 p.m.'],
    ['en', 'fr', 'The meeting is at 14:30.', 'La réunion est à 14h30.'],
    ['en', 'fr', 'We begin at 9:00.', 'Nous commençons à 9 heures.'],
    ['es', 'en', 'Empezamos a las 8:30.', 'We start at half past eight.'],
    ['en', 'es', 'It grew by 3.5 percent.', 'Creció un 3,5 por ciento.'],
    ['en', 'es', 'I have 3 children and 12 eggs.', 'Tengo tres hijos y una docena de huevos.'],
    ['en', 'fr', 'The 2nd of 25 talks.', 'La deuxième des vingt-cinq conférences.'],
    ['es', 'en', 'Quedan 25 minutos.', 'There are twenty-five minutes left.'],
    ['en', 'es', 'In the 21st century.', 'En el siglo XXI.'],
    ['en', 'es', 'Music of the 1990s.', 'Música de los años 90.'],
    ['en', 'zh', 'We have 1,000,000 users.', '我们有100万用户。'],
    ['en', 'zh', 'About 20,000 people came.', '大约来了两万人。'],
    ['zh', 'en', '我们有3万用户。', 'We have 30,000 users.'],
    ['zh', 'es', '一共3.5亿美元。', 'Son 350 millones de dólares.'],
    ['en', 'fr', 'It raised 1.5 billion.', 'Elle a levé 1,5 milliard.'],
    ['en', 'es', 'It raised 1.5 billion.', 'Recaudó 1.500 millones.'],
    ['en', 'es', 'About 1 million people.', 'Cerca de un millón de personas.'],
    ['en', 'fr', 'It took 2 million years.', 'Cela a pris deux millions d’années.'],
    ['es', 'en', 'Son 5 mil.', 'That makes five thousand.'],
    ['en', 'es', 'I have 1,000 ideas.', 'Tengo mil ideas.'],
    ['en', 'fr', 'In 2020 300 people came.', 'En 2020, 300 personnes sont venues.'],
    ['zh', 'en', '会议在3月15日。', 'The meeting is on March 15.'],
    ['en', 'fr', 'Due on 2024-03-15.', 'À rendre le 15 mars 2024.'],
    ['en', 'zh', 'It rose by 12 percent in 2023.', '2023年增长了百分之十二。'],
    ['en', 'zh', 'That was in 2008.', '那是二〇〇八年。'],
    ['fr', 'zh', 'Il y a 2 personnes.', '有两个人。'],
    ['en', 'fr', 'She is 75.', 'Elle a soixante-quinze ans.'],
    [
      'en',
      'fr',
      'There are 71 of us and 92 of them.',
      'Nous sommes soixante et onze, eux quatre-vingt-douze.',
    ],
    ['en', 'fr', 'Turn to page 97.', 'Allez à la page nonante-sept.'],
    ['en', 'es', 'We are 22, not 23 or 26.', 'Somos veintidós, no veintitrés ni veintiséis.'],
    ['en', 'es', 'It lasted 31 days.', 'Duró treinta y un días.'],
    ['en', 'es', '200 people and 500 more.', 'Doscientas personas y quinientas más.'],
    ['en', 'es', 'We saw 700 of 900.', 'Vimos setecientos de novecientos.'],
    ['en', 'es', 'There were 120 in 2024.', 'Había ciento veinte en dos mil veinticuatro.'],
    ['en', 'fr', 'They sold 300.', 'Ils en ont vendu trois cents.'],
    ['es', 'en', 'Son 12.500 euros.', 'That is twelve thousand five hundred euros.'],
    ['es', 'en', 'Fue en 1998.', 'It was in nineteen ninety-eight.'],
    ['en', 'zh', 'In 2024 we sold 12,500 units.', '2024年我们卖了1万2500台。'],
    ['en', 'zh', 'It has 120 million people.', '它有1亿2000万人口。'],
    // Addresses.
    ['en', 'es', 'Write to ana@example.com by 5 p.m.', 'Escriba a ana@example.com antes de las 17 h.'],
    ['fr', 'zh', 'Voir https://example.org/a?b=12.', '请看https://example.org/a?b=12。'],
  ])('%s→%s: %s → %s', (from, to, source, translation) => {
    expect(flawOf(source, translation, from, to)).toBeNull();
  });
});

describe('a translation that is none is caught', () => {
  test.each<Row>([
    ['en', 'es', 'Good morning.', ''],
    ['en', 'es', 'Good morning.', ' . . '],
    ['fr', 'en', 'Euh...', '...'],
    ['en', 'es', 'Good morning, everyone.', 'Good morning, everyone'],
    ['en', 'fr', 'Thank you.', 'Thank you.'],
    ['es', 'en', 'presupuesto', 'presupuesto'],
    ['zh', 'en', '大家早上好。', '大家早上好。'],
    ['zh', 'en', '我们今天讨论预算。', '今天讨论预算 OK'],
    ['en', 'zh', 'We are talking about the budget.', 'We talk about budget.'],
    [
      'en',
      'fr',
      'Please send the new report to the whole team before the end of the week.',
      'Please send the new report to the whole team before the end of the semaine.',
    ],
    ['en', 'es', 'We agree.', 'Estamos de acuerdo, de acuerdo, de acuerdo, de acuerdo, de acuerdo.'],
    ['en', 'fr', 'The budget is fine.', 'Le budget, le budget, le budget, le budget est bon.'],
    ['es', 'en', 'No.', 'No, no, no, no, no, no, no.'],
    ['en', 'zh', 'I think so too.', '我也是我也是我也是我也是'],
    ['en', 'es', 'What was that noise in here?', '¿Qué fue ese jajajajajajajajajaja?'],
    ['en', 'fr', 'The new machine is easy to use.', 'La nouvelle machine est facile à utilisererererererer.'],
    ['en', 'es', 'Wait for it now.', 'Espera - - - - - - - - - - -'],
    [
      'en',
      'es',
      'The committee has met and it decided on the plan for the whole of next year with the members.',
      'El comité de la Comisión y el comité de la Comisión con el comité de la Comisión en el comité de la Comisión.',
    ],
    ['en', 'es', 'We have to talk about the budget of the next quarter and about the team.', 'El equipo.'],
    [
      'fr',
      'en',
      'Bonjour.',
      'Good morning to all of the members of the European Parliament who are here with us today.',
    ],
  ])('%s→%s: %s → %s', (from, to, source, translation) => {
    expect(flawOf(source, translation, from, to)).toBe('degenerate');
  });
});

describe('a translation that loses a number or an address is caught', () => {
  test.each<Row>([
    ['en', 'fr', 'Carlos was born on November 13, 2003.', 'Carlos est né le 13 novembre 203.'],
    ['en', 'zh', 'The hotel costs 302 euros per night.', '酒店每晚320欧元。'],
    ['en', 'zh', 'David was born on July 11, 1960.', '大卫出生于1960年7月111日。'],
    ['es', 'en', 'La empresa fue fundada en 1998.', 'The company was founded in 19998.'],
    ['en', 'es', 'It cost 1,500 dollars.', 'Costó 15.000 dólares.'],
    ['en', 'es', 'It cost 1,000 dollars.', 'Costó 5 dólares.'],
    ['en', 'es', 'It grew by 3.5 percent.', 'Creció un 35 por ciento.'],
    ['zh', 'en', '我们有3万用户。', 'We have 3 million users.'],
    ['en', 'es', 'About 7 million people.', 'Cerca de dos millones de personas.'],
    ['zh', 'en', '会议在3月15日。', 'The meeting is on May 15.'],
    ['fr', 'en', 'La réunion est à 14 h 30.', 'The meeting is at 2:13 p.m.'],
    ['en', 'es', 'Please open version 7 now.', 'Por favor, abra la versión ahora.'],
    ['en', 'es', 'There are 25 of us.', 'Somos veintiséis.'],
    ['en', 'es', 'There are 22 of us.', 'Somos veintitrés.'],
    ['en', 'fr', 'She is 75.', 'Elle a soixante-seize ans.'],
    ['en', 'es', 'There are 700 of us.', 'Somos seiscientos.'],
    ['en', 'fr', 'There are 320 of us.', 'Nous sommes deux cent vingt.'],
    ['en', 'zh', 'We sold 12,500 units.', '我们卖了1万2000台。'],
    ['en', 'es', 'Write to ana@example.com today.', 'Escriba hoy a ana@ejemplo.com.'],
    ['en', 'fr', 'Go to www.example.org/help now.', 'Allez sur www.example.fr/aide.'],
    ['zh', 'en', '请打开example.com。', 'Please open the example.'],
  ])('%s→%s: %s → %s', (from, to, source, translation) => {
    expect(flawOf(source, translation, from, to)).toBe('altered');
  });
});
